// libcurl's multi interface on one thread. Requests come in through a queue, answers leave by being
// posted to the loop that asked.
#include "net/http_client.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <future>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include <boost/asio/post.hpp>

#include "net/loop_impl.h"
#include "net/url.h"

namespace candlewick::net {
namespace {

constexpr int poll_ms = 1000;
// A length told by the server is believed up to here; beyond, memory grows as bytes come.
constexpr std::size_t max_reserved_bytes = 1U << 20U;

struct Transfer {
  ~Transfer() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
  }

  HttpRequest request;
  Url url;
  HttpClient::Callback done;
  bool blocking = false;  // somebody waits in fetch(): to be answered in any case
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  HttpResponse response;
  bool too_large = false;
  std::array<char, CURL_ERROR_SIZE> words{};
};

std::size_t on_body(char* data, std::size_t, std::size_t bytes, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  std::string& body = transfer.response.body;
  if (body.size() + bytes > transfer.request.max_body_bytes) {
    transfer.too_large = true;
    return 0;
  }
  if (body.empty()) {
    curl_off_t length = 0;
    curl_easy_getinfo(transfer.easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    body.reserve(std::max(bytes, std::min(static_cast<std::size_t>(std::max<curl_off_t>(length, 0)),
                                          max_reserved_bytes)));
  }
  body.append(data, bytes);
  return bytes;
}

std::size_t on_header(char* data, std::size_t, std::size_t bytes, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  std::string_view line(data, bytes);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n' || line.back() == ' ')) {
    line.remove_suffix(1);
  }
  if (line.starts_with("HTTP/")) {
    transfer.response.headers.clear();  // what came before was "100 Continue"
    return bytes;
  }
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos) {
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    transfer.response.headers.add(std::string(line.substr(0, colon)), std::string(value));
  }
  return bytes;
}

// Adds the caller's authorities to those that curl has loaded from the system's places.
CURLcode add_authorities(CURL*, void* context, void* user) {
  const auto& file = *static_cast<const std::string*>(user);
  return SSL_CTX_load_verify_locations(static_cast<SSL_CTX*>(context), file.c_str(), nullptr) == 1
             ? CURLE_OK
             : CURLE_SSL_CACERT_BADFILE;
}

Error describe(const Transfer& transfer, CURLcode code) {
  Error error{ErrorKind::transient, transfer.url.shown() + ": "};
  if (transfer.too_large) {
    error.kind = ErrorKind::malformed;
    error.message +=
        fmt::format("the answer is larger than {} bytes", transfer.request.max_body_bytes);
    return error;
  }
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CIPHER:
      error.kind = ErrorKind::misconfigured;
      break;
    case CURLE_UNSUPPORTED_PROTOCOL:  // an answer that is not HTTP/1 or later
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
      error.kind = ErrorKind::malformed;
      break;
    default:
      break;
  }
  error.message +=
      transfer.words[0] != '\0' ? std::string(transfer.words.data()) : curl_easy_strerror(code);
  return error;
}

long to_curl_ms(Duration duration) {
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return static_cast<long>(std::max<std::int64_t>(ms, 1));  // to curl, 0 means for ever
}

bool has_line_end(const Headers& headers) {
  return std::any_of(headers.begin(), headers.end(), [](const Header& header) {
    return (header.name + header.value).find_first_of(std::string_view("\r\n\0", 3)) !=
           std::string::npos;
  });
}

}  // namespace

struct HttpClient::Impl {
  explicit Impl(HttpClientOptions its_options);
  ~Impl();

  void submit(std::unique_ptr<Transfer> transfer);
  void run();
  void take_new();
  bool prepare(Transfer& transfer);
  void finish(CURL* easy, CURLcode code);
  void deliver(Transfer& transfer, Result<HttpResponse> result);

  HttpClientOptions options;
  std::string system_file;
  std::string system_folder;
  CURLM* multi = nullptr;
  std::mutex mutex;  // guards `fresh` and `stopping`
  std::vector<std::unique_ptr<Transfer>> fresh;
  bool stopping = false;
  std::atomic<std::size_t> waiting{0};
  // Turned off by the destructor: answers that are posted but not yet called are dropped then.
  std::shared_ptr<std::atomic<bool>> alive = std::make_shared<std::atomic<bool>>(true);
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> running;  // of the thread
  std::thread thread;
};

HttpClient::Impl::Impl(HttpClientOptions its_options) : options(std::move(its_options)) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(ready);
  // As OpenSSL itself and the curl program do, and libcurl does not.
  if (const char* file = std::getenv("SSL_CERT_FILE")) {
    system_file = file;
  }
  if (const char* folder = std::getenv("SSL_CERT_DIR")) {
    system_folder = folder;
  }
  multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                    static_cast<long>(options.max_connections_per_host));
  thread = std::thread([this] {
    pthread_setname_np(pthread_self(), "http-client");
    run();
  });
}

HttpClient::Impl::~Impl() {
  alive->store(false);
  {
    const std::lock_guard lock(mutex);
    stopping = true;
  }
  curl_multi_wakeup(multi);
  thread.join();
  for (auto& [easy, transfer] : running) {
    curl_multi_remove_handle(multi, easy);
    fresh.push_back(std::move(transfer));
  }
  running.clear();
  for (const auto& transfer : fresh) {
    if (transfer->blocking) {
      transfer->done(
          fail(ErrorKind::transient, "{}: the HTTP client has stopped", transfer->url.shown()));
    }
  }
  fresh.clear();
  curl_multi_cleanup(multi);
}

void HttpClient::Impl::submit(std::unique_ptr<Transfer> transfer) {
  if (waiting.fetch_add(1) >= options.max_waiting) {
    deliver(*transfer, fail(ErrorKind::transient, "more than {} HTTP requests are waiting",
                            options.max_waiting));
    return;
  }
  Result<Url> url = parse_url(transfer->request.url);
  if (!url) {
    deliver(*transfer, fail(std::move(url.error())));
    return;
  }
  if (url->scheme == "ws" || url->scheme == "wss" || has_line_end(transfer->request.headers)) {
    deliver(*transfer, fail(ErrorKind::misconfigured, "{}: not a request for HTTP", url->shown()));
    return;
  }
  transfer->url = std::move(*url);
  {
    const std::lock_guard lock(mutex);
    fresh.push_back(std::move(transfer));
  }
  curl_multi_wakeup(multi);
}

void HttpClient::Impl::run() {
  while (true) {
    {
      const std::lock_guard lock(mutex);
      if (stopping) {
        return;
      }
    }
    take_new();
    int active = 0;
    curl_multi_perform(multi, &active);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) {
        finish(message->easy_handle, message->data.result);
      }
    }
    curl_multi_poll(multi, nullptr, 0, poll_ms, nullptr);
  }
}

void HttpClient::Impl::take_new() {
  std::vector<std::unique_ptr<Transfer>> taken;
  {
    const std::lock_guard lock(mutex);
    taken.swap(fresh);
  }
  for (auto& transfer : taken) {
    if (!prepare(*transfer) || curl_multi_add_handle(multi, transfer->easy) != CURLM_OK) {
      deliver(*transfer,
              fail(ErrorKind::transient, "{}: no memory for the request", transfer->url.shown()));
      continue;
    }
    running.emplace(transfer->easy, std::move(transfer));
  }
}

bool HttpClient::Impl::prepare(Transfer& transfer) {
  transfer.easy = curl_easy_init();
  if (transfer.easy == nullptr) {
    return false;
  }
  CURL* const easy = transfer.easy;
  const HttpRequest& request = transfer.request;
  curl_easy_setopt(easy, CURLOPT_URL, transfer.url.text().c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.words.data());
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, to_curl_ms(request.timeout));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, to_curl_ms(options.connect_timeout));
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  curl_easy_setopt(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
  if (!request.headers.has("Accept-Encoding")) {
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
  }
  if (is_loopback(transfer.url.host)) {
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
  }
  if (!system_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, system_file.c_str());
  }
  if (!system_folder.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAPATH, system_folder.c_str());
  }
  if (!options.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, add_authorities);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, &options.ca_file);
  }
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  const bool sends = !request.body.empty() || request.method == "POST" || request.method == "PUT" ||
                     request.method == "PATCH";
  if (sends) {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    // Neither curl's guess at the content nor its pause before the body.
    transfer.headers = curl_slist_append(transfer.headers, "Expect:");
    if (!request.headers.has("Content-Type")) {
      transfer.headers = curl_slist_append(transfer.headers, "Content-Type:");
    }
  }
  if (request.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (request.method != (sends ? "POST" : "GET")) {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  for (const Header& header : request.headers) {
    // A semicolon is how curl is told of a header without a value.
    const std::string line =
        header.value.empty() ? header.name + ";" : header.name + ": " + header.value;
    transfer.headers = curl_slist_append(transfer.headers, line.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.headers);
  return true;
}

void HttpClient::Impl::finish(CURL* easy, CURLcode code) {
  const auto found = running.find(easy);
  if (found == running.end()) {
    return;
  }
  const std::unique_ptr<Transfer> transfer = std::move(found->second);
  running.erase(found);
  long status = 0;
  curl_off_t took_us = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &took_us);
  curl_multi_remove_handle(multi, easy);
  if (code != CURLE_OK) {
    deliver(*transfer, fail(describe(*transfer, code)));
    return;
  }
  transfer->response.status = static_cast<int>(status);
  transfer->response.took = std::chrono::microseconds{took_us};
  deliver(*transfer, std::move(transfer->response));
}

void HttpClient::Impl::deliver(Transfer& transfer, Result<HttpResponse> result) {
  waiting.fetch_sub(1);
  transfer.done(std::move(result));
}

HttpClient::HttpClient(HttpClientOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}

HttpClient::~HttpClient() = default;

void HttpClient::send(HttpRequest request, Loop& loop, Callback callback) {
  auto transfer = std::make_unique<Transfer>();
  transfer->request = std::move(request);
  transfer->done = [weak = std::weak_ptr(loop.impl()), alive = impl_->alive,
                    callback = std::move(callback)](Result<HttpResponse> result) mutable {
    const std::shared_ptr<Loop::Impl> its_loop = weak.lock();
    if (!its_loop) {
      return;
    }
    asio::post(its_loop->context,
               [alive, callback = std::move(callback), result = std::move(result)]() mutable {
                 if (alive->load()) {
                   callback(std::move(result));
                 }
               });
  };
  impl_->submit(std::move(transfer));
}

Result<HttpResponse> HttpClient::fetch(HttpRequest request) {
  // Shared with the callback: it must outlive the last touch of set_value().
  auto promise = std::make_shared<std::promise<Result<HttpResponse>>>();
  auto answer = promise->get_future();
  auto transfer = std::make_unique<Transfer>();
  transfer->request = std::move(request);
  transfer->blocking = true;
  transfer->done = [promise](Result<HttpResponse> result) {
    promise->set_value(std::move(result));
  };
  impl_->submit(std::move(transfer));
  return answer.get();
}

std::size_t HttpClient::waiting() const {
  return impl_->waiting.load();
}

}  // namespace candlewick::net

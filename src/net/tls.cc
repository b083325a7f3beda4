// OpenSSL's settings for both sides, and its words made readable.
#include "net/tls.h"

#include <arpa/inet.h>

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl.hpp>

namespace candlewick::net {
namespace {

void set_floor(asio::ssl::context& context) {
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.native_handle(), SSL_MODE_RELEASE_BUFFERS);
}

bool is_address(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

}  // namespace

Result<std::shared_ptr<asio::ssl::context>> client_tls(Loop::Impl& loop,
                                                       const std::string& ca_file) {
  if (const auto found = loop.client_tls.find(ca_file); found != loop.client_tls.end()) {
    return found->second;
  }
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  set_floor(*context);
  boost::system::error_code error;
  context->set_default_verify_paths(error);
  if (error) {
    return fail(ErrorKind::misconfigured, "the system's certificate authorities: {}",
                error.message());
  }
  if (!ca_file.empty()) {
    context->load_verify_file(ca_file, error);
    if (error) {
      return fail(ErrorKind::misconfigured, "certificate authorities in {}: {}", ca_file,
                  error.message());
    }
  }
  context->set_verify_mode(asio::ssl::verify_peer, error);
  loop.client_tls.emplace(ca_file, context);
  return context;
}

Result<std::shared_ptr<asio::ssl::context>> server_tls(const std::string& certificate_file,
                                                       const std::string& key_file) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  set_floor(*context);
  boost::system::error_code error;
  context->use_certificate_chain_file(certificate_file, error);
  if (error) {
    return fail(ErrorKind::misconfigured, "certificate in {}: {}", certificate_file,
                error.message());
  }
  context->use_private_key_file(key_file, asio::ssl::context::pem, error);
  if (error) {
    return fail(ErrorKind::misconfigured, "private key in {}: {}", key_file, error.message());
  }
  return context;
}

boost::system::error_code expect_host(ssl_st* connection, const std::string& host) {
  // Addresses are no names: they are matched with the certificate's addresses, without SNI.
  const bool good = is_address(host) ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection),
                                                                     host.c_str()) == 1
                                     : SSL_set1_host(connection, host.c_str()) == 1 &&
                                           SSL_set_tlsext_host_name(connection, host.c_str()) == 1;
  return good ? boost::system::error_code{} : asio::error::make_error_code(asio::error::no_memory);
}

std::string verification_problem(ssl_st* connection) {
  const long result = SSL_get_verify_result(connection);
  return result == X509_V_OK ? std::string{} : X509_verify_cert_error_string(result);
}

std::string connection_words(const boost::system::error_code& error) {
  if (error == asio::error::host_not_found || error == asio::error::host_not_found_try_again ||
      error == asio::error::no_data || error == asio::error::service_not_found) {
    return "no address found for this name";
  }
  if (error == asio::error::connection_refused) {
    return "connection refused";
  }
  if (error == asio::error::connection_reset || error == asio::error::broken_pipe) {
    return "connection reset";
  }
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) {
    return "the other side closed the connection";
  }
  return error.message();
}

}  // namespace candlewick::net

// TLS contexts and the words for what goes wrong while connecting. For the .cc files of net/ only.
#pragma once

#include <memory>
#include <string>

#include <boost/system/error_code.hpp>

#include "base/result.h"
#include "net/loop_impl.h"

struct ssl_st;

namespace candlewick::net {

// Trusts the system's authorities and those in `ca_file` (PEM; empty: none). TLS 1.2 or later,
// verification on. Made once a loop; on its thread.
Result<std::shared_ptr<asio::ssl::context>> client_tls(Loop::Impl& loop,
                                                       const std::string& ca_file);
Result<std::shared_ptr<asio::ssl::context>> server_tls(const std::string& certificate_file,
                                                       const std::string& key_file);

// Asks for `host` (SNI) and accepts a certificate for it only. An error stands for lack of memory.
boost::system::error_code expect_host(ssl_st* connection, const std::string& host);
// In words, empty when the certificate was good or none came.
std::string verification_problem(ssl_st* connection);

// "connection refused": what went wrong while connecting, reading or writing.
std::string connection_words(const boost::system::error_code& error);

}  // namespace candlewick::net

// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/doctor/certificate.h"

#include <openssl/x509v3.h>

#include <vector>

namespace ts2021::app {
namespace {

constexpr int days_to_worry = 7;

std::string text(const X509_NAME* name) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (!out || !name || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253) < 0) return {};
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string text(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

// The DNS names; addresses are told by their number.
std::string names(const X509* certificate) {
  auto* const found =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  std::string out;
  int addresses = 0;
  for (int i = 0; i < sk_GENERAL_NAME_num(found); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(found, i);
    if (name->type == GEN_DNS)
      out += (out.empty() ? "" : ", ") + text(name->d.dNSName);
    else if (name->type == GEN_IPADD)
      ++addresses;
  }
  GENERAL_NAMES_free(found);
  if (addresses > 0) out += (out.empty() ? "" : ", ") + std::to_string(addresses) + " addresses";
  return out.empty() ? "no names" : out;
}

int days_left(const X509* certificate) {
  int days = 0, seconds = 0;
  ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate));
  return days;
}

What judged(long verified) {
  switch (verified) {
    case X509_V_OK:
      return What::fine;
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return What::certificate_time;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return What::certificate_name;
    default:
      return What::certificate_authority;
  }
}

}  // namespace

std::string selected_alpn(const SSL* tls) {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(tls, &name, &size);
  return name ? std::string(reinterpret_cast<const char*>(name), size) : std::string();
}

void judge_certificate(SSL* tls, Record& record) {
  record.fact = std::string(SSL_get_version(tls));
  record.details.push_back(std::string("cipher ") + SSL_get_cipher_name(tls));
  const X509Ptr certificate(SSL_get_peer_certificate(tls));
  if (!certificate) {
    record.what = What::certificate_authority;
    record.fact += ", no certificate";
    return;
  }
  const long verified = SSL_get_verify_result(tls);
  const int days = days_left(certificate.get());
  record.what = judged(verified);
  record.details.push_back("subject " + text(X509_get_subject_name(certificate.get())));
  record.details.push_back("issuer " + text(X509_get_issuer_name(certificate.get())));
  record.fact += ", certificate for " + names(certificate.get()).substr(0, 100);
  if (record.what != What::fine) record.fact += std::string(": ") + X509_verify_cert_error_string(verified);
  record.fact +=
      days < 0 ? ", over for " + std::to_string(-days) + " days" : ", " + std::to_string(days) + " days left";
  if (!record.alpn.empty()) record.fact += ", ALPN " + record.alpn;
  if (record.what == What::fine && days < days_to_worry) record.verdict = Verdict::warning;
}

}  // namespace ts2021::app

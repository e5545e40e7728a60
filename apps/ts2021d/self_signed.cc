// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021d/self_signed.h"

#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "common/openssl.h"
#include "common/private_file.h"

namespace ts2021::app {
namespace {

constexpr long day = 24 * 60 * 60;  // seconds
constexpr long ca_lifetime = 3650 * day, lifetime = 365 * day, renewal = 30 * day;

struct Identity {
  X509Ptr certificate;
  PkeyPtr key;
};

bool is_address(const std::string& host) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

bool lasts(const X509* certificate) {
  time_t then = time(nullptr) + renewal;
  return X509_cmp_time(X509_get0_notBefore(certificate), nullptr) < 0 &&
         X509_cmp_time(X509_get0_notAfter(certificate), &then) > 0;
}

bool names(X509* certificate, const std::string& host) {
  if (is_address(host)) return X509_check_ip_asc(certificate, host.c_str(), 0) == 1;
  return X509_check_host(certificate, host.data(), host.size(), 0, nullptr) == 1;
}

// Empty where a file is missing or is no PEM of its kind.
Identity read(const std::string& certificate, const std::string& key) {
  Identity read;
  if (const BioPtr in(BIO_new_file(certificate.c_str(), "r")); in)
    read.certificate.reset(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
  if (const BioPtr in(BIO_new_file(key.c_str(), "r")); in) {
    char no_passphrase[] = "";
    read.key.reset(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, no_passphrase));
  }
  ERR_clear_error();
  return read;
}

bool belong_together(const Identity& identity) {
  const bool good = identity.certificate && identity.key &&
                    X509_check_private_key(identity.certificate.get(), identity.key.get()) == 1;
  ERR_clear_error();
  return good;
}

void write(const Identity& identity, const std::string& certificate, const std::string& key) {
  const auto text = [](auto print) {
    const BioPtr out(BIO_new(BIO_s_mem()));
    check_openssl(out && print(out.get()) == 1, "a certificate");
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return std::string(data, static_cast<std::size_t>(size));
  };
  write_private_file(key, text([&](BIO* out) {
                       return PEM_write_bio_PrivateKey(out, identity.key.get(), nullptr, nullptr, 0, nullptr,
                                                       nullptr);
                     }));
  write_private_file(certificate,
                     text([&](BIO* out) { return PEM_write_bio_X509(out, identity.certificate.get()); }));
  std::filesystem::permissions(certificate, std::filesystem::perms{0644});
}

PkeyPtr make_key() {
  const std::unique_ptr<EVP_PKEY_CTX, OpensslFree<EVP_PKEY_CTX_free>> maker(
      EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nullptr));
  EVP_PKEY* key = nullptr;
  check_openssl(maker && EVP_PKEY_keygen_init(maker.get()) == 1 &&
                    EVP_PKEY_CTX_set_ec_paramgen_curve_nid(maker.get(), NID_X9_62_prime256v1) == 1 &&
                    EVP_PKEY_keygen(maker.get(), &key) == 1,
                "a key");
  return PkeyPtr(key);
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, OpensslFree<X509_EXTENSION_free>> extension(
      X509V3_EXT_nconf_nid(nullptr, &context, nid, value.c_str()));
  check_openssl(extension && X509_add_ext(certificate, extension.get(), -1) == 1,
                "a certificate for " + value);
}

// Not yet signed. The serial number is random, since an authority that was made anew knows nothing of the old
// one's.
Identity begin(const std::string& name, long seconds) {
  Identity fresh{X509Ptr(X509_new()), make_key()};
  X509* const c = fresh.certificate.get();
  std::array<unsigned char, 16> serial{};
  check_openssl(c && RAND_bytes(serial.data(), serial.size()) == 1, "a certificate");
  serial[0] &= 0x7f;
  const std::unique_ptr<BIGNUM, OpensslFree<BN_free>> number(
      BN_bin2bn(serial.data(), serial.size(), nullptr));
  X509_NAME* const subject = X509_get_subject_name(c);
  check_openssl(
      number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(c)) && X509_set_version(c, 2) == 1 &&
          X509_gmtime_adj(X509_getm_notBefore(c), -day) && X509_gmtime_adj(X509_getm_notAfter(c), seconds) &&
          X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                     reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0) == 1 &&
          X509_set_pubkey(c, fresh.key.get()) == 1,
      "a certificate for " + name);
  return fresh;
}

void sign(X509* certificate, EVP_PKEY* key) {
  check_openssl(X509_sign(certificate, key, EVP_sha256()) > 0, "a certificate");
}

Identity make_authority() {
  Identity fresh = begin("ts2021d test authority", ca_lifetime);
  X509* const c = fresh.certificate.get();
  check_openssl(X509_set_issuer_name(c, X509_get_subject_name(c)) == 1, "a certificate");
  extend(c, c, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  extend(c, c, NID_key_usage, "critical,keyCertSign,cRLSign");
  extend(c, c, NID_subject_key_identifier, "hash");
  sign(c, fresh.key.get());
  return fresh;
}

Identity issue(const Identity& authority, const std::vector<std::string>& hosts) {
  Identity fresh = begin("ts2021d", lifetime);
  X509* const c = fresh.certificate.get();
  X509* const ca = authority.certificate.get();
  check_openssl(X509_set_issuer_name(c, X509_get_subject_name(ca)) == 1, "a certificate");
  std::string alternatives;
  for (const std::string& host : hosts)
    alternatives += (alternatives.empty() ? "" : ",") + std::string(is_address(host) ? "IP:" : "DNS:") + host;
  extend(c, ca, NID_basic_constraints, "critical,CA:FALSE");
  extend(c, ca, NID_key_usage, "critical,digitalSignature");
  extend(c, ca, NID_ext_key_usage, "serverAuth");
  extend(c, ca, NID_subject_key_identifier, "hash");
  extend(c, ca, NID_authority_key_identifier, "keyid");
  extend(c, ca, NID_subject_alt_name, alternatives);
  sign(c, authority.key.get());
  return fresh;
}

Identity keep_authority(const std::string& certificate, const std::string& key) {
  if (std::filesystem::exists(certificate) || std::filesystem::exists(key)) {
    Identity old = read(certificate, key);
    if (!belong_together(old))
      throw std::runtime_error(certificate + " and " + key + " are not a certificate and its key");
    if (lasts(old.certificate.get())) return old;
  }
  Identity fresh = make_authority();
  write(fresh, certificate, key);
  return fresh;
}

}  // namespace

SelfSigned self_signed_paths(const std::string& directory) {
  return {directory + "/ca.pem", directory + "/server.pem", directory + "/server.key"};
}

SelfSigned make_self_signed(const std::string& directory, std::vector<std::string> hosts) {
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    throw std::runtime_error("can't make " + directory + ": " + std::generic_category().message(errno));
  const SelfSigned paths = self_signed_paths(directory);
  const Identity authority = keep_authority(paths.ca, directory + "/ca.key");

  for (const char* local : {"localhost", "127.0.0.1", "::1"})
    if (std::find(hosts.begin(), hosts.end(), local) == hosts.end()) hosts.emplace_back(local);
  const Identity old = read(paths.certificate, paths.key);
  const bool fits = belong_together(old) && lasts(old.certificate.get()) &&
                    X509_verify(old.certificate.get(), authority.key.get()) == 1 &&
                    std::all_of(hosts.begin(), hosts.end(),
                                [&](const std::string& host) { return names(old.certificate.get(), host); });
  ERR_clear_error();
  if (!fits) write(issue(authority, hosts), paths.certificate, paths.key);
  return paths;
}

}  // namespace ts2021::app

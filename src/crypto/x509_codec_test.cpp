// SPDX-License-Identifier: Apache-2.0
// What the codec answers to every request of tests/data/csr, and to text around them. What OpenSSL thinks of them is noted where it
// differs.
#include "crypto/x509_codec.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <thread>

#include "base/pem.h"
#include "crypto/csr_builder.h"
#include "crypto/csr_reader.h"
#include "crypto/test_support.h"

namespace birthmark::crypto {
namespace {

using core::CsrFacts;
using core::KeyAlgorithm;
using core::NameAttributeType;
using testing::must;

const std::string kVectors = BIRTHMARK_TEST_DATA "/csr/";

const core::X509Codec& codec() {
  static const auto made = must(make_x509_codec());
  return *made;
}
const core::X509Codec& codec_with_rsa() {
  static const auto made = must(make_x509_codec({.allow_rsa = true}));
  return *made;
}

enum class Shape { recognised, other, malformed };

Shape shape_of(ByteView der) {
  const CsrReading reading = read_csr(der);
  if (std::holds_alternative<CsrView>(reading)) return Shape::recognised;
  return std::holds_alternative<OtherShape>(reading) ? Shape::other : Shape::malformed;
}

struct Vector {
  const char* file;
  Shape shape;
  const char* refusal;  // a phrase of the public message; null: accepted
};

constexpr Vector kRequests[] = {
    {"lmp-device-register.pem", Shape::recognised, nullptr},
    {"lmp-device-register-hsm.pem", Shape::recognised, nullptr},
    {"go-fioup-style.pem", Shape::recognised, nullptr},
    {"plain.pem", Shape::recognised, nullptr},
    {"new-label.pem", Shape::recognised, nullptr},
    {"no-attributes.pem", Shape::recognised, nullptr},
    {"ia5.pem", Shape::recognised, nullptr},
    {"multi-valued.pem", Shape::recognised, nullptr},
    {"bmp-string.pem", Shape::other, nullptr},
    {"teletex-string.pem", Shape::other, nullptr},
    {"openssl-P-256-sha384.pem", Shape::other, nullptr},
    {"openssl-P-384.pem", Shape::other, nullptr},
    {"openssl-P-521.pem", Shape::other, nullptr},
    {"openssl-rsa-2048.pem", Shape::other, "RSA key, which is not allowed"},
    {"openssl-rsa-1024.pem", Shape::other, "RSA key, which is not allowed"},
    {"openssl-rsa-pss.pem", Shape::other, "RSA key, which is not allowed"},
    {"openssl-sha1.pem", Shape::other, "algorithm that is not supported"},
    {"openssl-secp256k1.pem", Shape::other, "kind that is not supported"},
    {"openssl-ed25519.pem", Shape::other, "kind that is not supported"},
    {"infinity.pem", Shape::malformed, "point at infinity"},
    {"compressed-point.pem", Shape::malformed, "compressed point"},
    {"explicit-curve.pem", Shape::malformed, "named curve"},
    {"off-curve-point.pem", Shape::recognised, "not a point on P-256"},
    {"indefinite-length.pem", Shape::malformed, "indefinite length"},
    {"non-minimal-length.pem", Shape::malformed, "shortest form"},
    {"trailing-bytes.pem", Shape::malformed, "bytes follow it"},
    {"multi-valued-unsorted.pem", Shape::malformed, "not in order"},
    {"deeply-nested.pem", Shape::malformed, "nested too deeply"},
    {"version-2.pem", Shape::malformed, "version"},
    {"nul-in-name.pem", Shape::malformed, "NUL"},
    {"utf8-invalid.pem", Shape::malformed, "UTF-8"},
    {"printable-bad-character.pem", Shape::malformed, "PrintableString"},
    {"wrong-signature.pem", Shape::recognised, "signature is wrong"},
    {"other-key.pem", Shape::recognised, "signature is wrong"},
};

std::string vector_text(const std::string& file) {
  return testing::read_test_file(kVectors + file);
}

Bytes vector_der(const std::string& file) {
  return must(decode_first_pem(vector_text(file))).contents;
}

class CsrVectors : public ::testing::TestWithParam<Vector> {};

TEST_P(CsrVectors, AreReadAsTheyShould) {
  const Vector& vector = GetParam();
  EXPECT_EQ(shape_of(vector_der(vector.file)), vector.shape);
  const Result<CsrFacts> facts = codec().read_csr_pem(vector_text(vector.file));
  if (vector.refusal == nullptr) {
    ASSERT_TRUE(facts.has_value()) << facts.error().describe();
    EXPECT_EQ(facts->values(NameAttributeType::common_name).size(), 1U);
  } else {
    ASSERT_FALSE(facts.has_value());
    EXPECT_EQ(facts.error().code, ErrorCode::invalid);
    EXPECT_NE(facts.error().public_message.find(vector.refusal), std::string::npos) << facts.error().describe();
  }
  EXPECT_EQ(ERR_peek_error(), 0U) << "something was left in the error queue";
}

INSTANTIATE_TEST_SUITE_P(All, CsrVectors, ::testing::ValuesIn(kRequests), [](const auto& instance) {
  std::string name = instance.param.file;
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
});

TEST(CsrVectors, EveryFileIsInTheTable) {
  std::set<std::string> listed;
  for (const Vector& vector : kRequests) listed.insert(vector.file);
  std::set<std::string> present;
  for (const auto& entry : std::filesystem::directory_iterator(kVectors))
    if (entry.path().extension() == ".pem") present.insert(entry.path().filename());
  EXPECT_EQ(present, listed);
}

TEST(CsrFacts, OfLmpDeviceRegister) {
  const CsrFacts facts = must(codec().read_csr_pem(vector_text("lmp-device-register.pem")));
  EXPECT_EQ(facts.values(NameAttributeType::common_name), std::vector<std::string_view>{"28d32f3a-4387-4ecf-91ae-872d54289179"});
  EXPECT_EQ(facts.values(NameAttributeType::organizational_unit), std::vector<std::string_view>{"acme"});
  EXPECT_EQ(facts.values(NameAttributeType::business_category), std::vector<std::string_view>{"production"});
  EXPECT_EQ(facts.key_algorithm, KeyAlgorithm::ec_p256);
  EXPECT_EQ(facts.key_bits, 256U);
}

TEST(CsrFacts, OfAGoRequestWithPrintableStringsAndOuFirst) {
  const CsrFacts facts = must(codec().read_csr_pem(vector_text("go-fioup-style.pem")));
  ASSERT_EQ(facts.subject.size(), 3U);
  EXPECT_EQ(facts.subject[0].type, NameAttributeType::organizational_unit);
  EXPECT_EQ(facts.subject[0].value, "acme");
  EXPECT_EQ(facts.subject[1].value, "0b1f7c9e-6a3d-4c55-9f0e-2d1c8a7b6e54");
  EXPECT_EQ(facts.subject[2].value, "production");
}

TEST(CsrFacts, DecodeOldStringTypesToUtf8) {
  EXPECT_EQ(must(codec().read_csr_pem(vector_text("bmp-string.pem"))).subject[0].value, "d\u00e9vice-1");
  EXPECT_EQ(must(codec().read_csr_pem(vector_text("teletex-string.pem"))).subject[0].value, "d\u00e9vice-1");
}

TEST(CsrFacts, OfOtherKeys) {
  const CsrFacts p384 = must(codec().read_csr_pem(vector_text("openssl-P-384.pem")));
  EXPECT_EQ(p384.key_algorithm, KeyAlgorithm::ec_p384);
  EXPECT_EQ(p384.key_bits, 384U);
  const CsrFacts p521 = must(codec().read_csr_pem(vector_text("openssl-P-521.pem")));
  EXPECT_EQ(p521.key_algorithm, KeyAlgorithm::ec_p521);
  EXPECT_EQ(p521.key_bits, 521U);
  EXPECT_EQ(must(codec().read_csr_pem(vector_text("openssl-P-256-sha384.pem"))).key_algorithm, KeyAlgorithm::ec_p256);
}

TEST(CsrFacts, OfRsaKeysWhereTheyAreAllowed) {
  const CsrFacts rsa = must(codec_with_rsa().read_csr_pem(vector_text("openssl-rsa-2048.pem")));
  EXPECT_EQ(rsa.key_algorithm, KeyAlgorithm::rsa);
  EXPECT_EQ(rsa.key_bits, 2048U);
  EXPECT_NE(codec_with_rsa().read_csr_pem(vector_text("openssl-rsa-1024.pem")).error().public_message.find("between 2048 and 4096"),
            std::string::npos);
  EXPECT_NE(
      codec_with_rsa().read_csr_pem(vector_text("openssl-rsa-pss.pem")).error().public_message.find("algorithm that is not supported"),
      std::string::npos);
}

// The vectors that OpenSSL 3.0 verifies show why malformed bytes are kept from it.
TEST(CsrVectors, OpenSslWouldAcceptTheMalformedOnes) {
  for (const char* file : {"infinity.pem", "indefinite-length.pem", "non-minimal-length.pem", "trailing-bytes.pem", "version-2.pem"}) {
    const Bytes der = vector_der(file);
    const unsigned char* at = der.data();
    const X509ReqHandle request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
    ASSERT_NE(request, nullptr) << file;
    EXPECT_EQ(X509_REQ_verify(request.get(), X509_REQ_get0_pubkey(request.get())), 1) << file;
  }
}

TEST(CsrPem, TakesTheFirstRequestOfTheText) {
  const std::string first = vector_text("lmp-device-register.pem");
  const std::string second = vector_text("plain.pem");
  const CsrFacts expected = must(codec().read_csr_pem(first));
  const auto reads_first = [&](const std::string& text) {
    const Result<CsrFacts> facts = codec().read_csr_pem(text);
    return facts.has_value() && facts->spki_sha256 == expected.spki_sha256;
  };
  EXPECT_TRUE(reads_first(first + second));
  EXPECT_TRUE(reads_first("Certificate Request:\n    Data:\n" + first));
  EXPECT_TRUE(reads_first(first + "and text after it, -----BEGIN CERTIFICATE REQUEST-----\n broken"));
  EXPECT_TRUE(reads_first("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + first));
  EXPECT_TRUE(reads_first("see -----BEGIN CERTIFICATE REQUEST----- below\n" + first));
  std::string with_crlf;
  for (const char c : first) with_crlf += c == '\n' ? "\r\n" : std::string(1, c);
  EXPECT_TRUE(reads_first(with_crlf));
  EXPECT_TRUE(reads_first("text before\r\n" + with_crlf));
}

TEST(CsrPem, SaysWhenThereIsNone) {
  const std::string good = vector_text("plain.pem");
  for (const std::string& text :
       {std::string(), std::string("bad csr"), std::string("-----BEGIN CERTIFICATE REQUEST-----"), good.substr(0, good.size() / 2),
        std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        std::string("-----BEGIN CERTIFICATE REQUEST-----\n!!!!\n-----END CERTIFICATE REQUEST-----\n")}) {
    const Result<CsrFacts> facts = codec().read_csr_pem(text);
    ASSERT_FALSE(facts.has_value());
    EXPECT_TRUE(facts.error().public_message.starts_with("Unable to load PEM file.")) << facts.error().public_message;
    EXPECT_EQ(facts.error().code, ErrorCode::invalid);
  }
}

TEST(CsrDer, IsLimitedInSize) {
  const Bytes huge(70'000, 0x30);
  EXPECT_EQ(codec().read_csr_der(huge).error().code, ErrorCode::too_large);
}

TEST(CsrDer, CutAnywhereIsRefused) {
  for (const char* file : {"lmp-device-register.pem", "openssl-P-384.pem", "openssl-rsa-2048.pem"}) {
    const Bytes der = vector_der(file);
    for (std::size_t size = 0; size < der.size(); ++size)
      EXPECT_FALSE(codec_with_rsa().read_csr_der(ByteView(der).first(size)).has_value()) << file << " cut to " << size;
  }
}

// What OpenSSL makes of the same bytes: whether it reads and verifies them, and what it then says.
struct SecondOpinion {
  bool good = false;
  Bytes subject;
  Bytes spki;
};
SecondOpinion ask_openssl(ByteView der) {
  SecondOpinion opinion;
  const unsigned char* at = der.data();
  const X509ReqHandle request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
  if (request && at == der.data() + der.size()) {
    EVP_PKEY* const key = X509_REQ_get0_pubkey(request.get());
    opinion.good = key != nullptr && X509_REQ_verify(request.get(), key) == 1;
    opinion.subject = testing::encode_name(X509_REQ_get_subject_name(request.get()));
    if (key != nullptr) opinion.spki = testing::encode_public_key(key);
  }
  ERR_clear_error();
  return opinion;
}

// Every octet of a request changed in several ways: never a crash, and what we still accept OpenSSL accepts with the same meaning.
TEST(CsrDer, WithAnyOctetChangedIsRefusedOrMeansTheSameToOpenSsl) {
  const Bytes der = vector_der("lmp-device-register.pem");
  std::size_t accepted = 0;
  for (std::size_t at = 0; at < der.size(); ++at) {
    for (const unsigned change : {0x01U, 0x02U, 0x10U, 0x20U, 0x80U, 0xffU}) {
      Bytes changed = der;
      changed[at] = static_cast<std::uint8_t>(changed[at] ^ change);
      const Result<CsrFacts> facts = codec().read_csr_der(changed);
      if (!facts) continue;
      ++accepted;
      const SecondOpinion opinion = ask_openssl(changed);
      EXPECT_TRUE(opinion.good) << "octet " << at << " xor " << change;
      EXPECT_EQ(facts->subject_der, opinion.subject);
      EXPECT_EQ(facts->spki_der, opinion.spki);
    }
  }
  EXPECT_EQ(accepted, 0U) << "every octet of this request is signed, framing or signature";
}

TEST(CsrDer, OfRandomKeysMeansTheSameToOpenSsl) {
  const char* const curves[] = {"P-256", "P-256", "P-384", "P-521"};
  for (std::size_t round = 0; round < 40; ++round) {
    const PrivateKey key = testing::generate_ec(curves[round % std::size(curves)]);
    CsrSubject subject{.common_name = "device-" + std::to_string(round), .production = round % 3 == 0, .device_extensions = round % 2 == 0};
    if (round % 5 != 0) subject.organizational_unit = std::string(round + 1, 'u');
    const Bytes der = must(decode_first_pem(must(make_csr_pem(key, subject)))).contents;
    const CsrFacts facts = must(codec().read_csr_der(der));
    const SecondOpinion opinion = ask_openssl(der);
    EXPECT_TRUE(opinion.good);
    EXPECT_EQ(facts.subject_der, opinion.subject);
    EXPECT_EQ(facts.spki_der, opinion.spki);
    EXPECT_EQ(facts.spki_sha256, key.spki_sha256());
  }
}

// A changed P-384 request takes the way through OpenSSL; its answer must never be better than OpenSSL's own.
TEST(CsrDer, OfAnotherShapeWithAnyOctetChangedIsRefused) {
  const Bytes der = vector_der("openssl-P-384.pem");
  for (std::size_t at = 0; at < der.size(); ++at) {
    Bytes changed = der;
    changed[at] = static_cast<std::uint8_t>(changed[at] ^ 0x01U);
    const Result<CsrFacts> facts = codec().read_csr_der(changed);
    EXPECT_FALSE(facts.has_value()) << "octet " << at;
    EXPECT_EQ(ERR_peek_error(), 0U) << "octet " << at;
  }
}

TEST(Codec, ServesManyThreadsAtOnce) {
  const std::string text = vector_text("plain.pem");
  const std::string wrong = vector_text("wrong-signature.pem");
  std::vector<int> good(4, 0);
  std::vector<std::thread> threads;
  for (int& count : good) {
    threads.emplace_back([&] {
      for (int round = 0; round < 25; ++round)
        if (codec().read_csr_pem(text).has_value() && !codec().read_csr_pem(wrong).has_value()) ++count;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : good) EXPECT_EQ(count, 25);
}

TEST(SystemRandom, FillsAnyNumberOfOctets) {
  const auto random = make_system_random();
  for (const std::size_t size : {std::size_t{0}, std::size_t{16}, std::size_t{1000}}) {
    Bytes first(size, 0), second(size, 0);
    ASSERT_TRUE(random->fill(first).has_value());
    ASSERT_TRUE(random->fill(second).has_value());
    if (size != 0) EXPECT_NE(first, second);
  }
}

}  // namespace
}  // namespace birthmark::crypto

#pragma once
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// What is a macro in OpenSSL, which Swift does not see.

static const int hilum_public_key_selection = EVP_PKEY_PUBLIC_KEY;

static inline void hilum_openssl_free(void *bytes) { OPENSSL_free(bytes); }

static inline int hilum_general_names_push(GENERAL_NAMES *names, GENERAL_NAME *name) {
    return sk_GENERAL_NAME_push(names, name);
}

// Multiples of a group's generator, kept with the group. Deprecated since OpenSSL 3.0 and absent where the deprecated
// functions were left out: then nothing is kept, and 0 is the answer.
static inline int hilum_ec_group_precompute(EC_GROUP *group) {
#ifdef OPENSSL_NO_DEPRECATED_3_0
    (void)group;
    return 0;
#else
    return EC_GROUP_precompute_mult(group, NULL);
#endif
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What fake_client.c is linked with as OpenSSL. */
#include <stddef.h>
#include <string.h>

const void *fake_openssl_bytes;
size_t fake_openssl_size;

int SSL_read(void *ssl, void *buffer, int size);
int SSL_write(void *ssl, const void *buffer, int size);
void *SSL_get_ex_data(void *ssl, int index);

int SSL_read(void *ssl, void *buffer, int size)
{
    size_t given = fake_openssl_size < (size_t)size ? fake_openssl_size : (size_t)size;
    (void)ssl;
    memcpy(buffer, fake_openssl_bytes, given);
    return (int)given;
}

int SSL_write(void *ssl, const void *buffer, int size)
{
    (void)ssl;
    (void)buffer;
    return size;
}

void *SSL_get_ex_data(void *ssl, int index)
{
    return index == 0 ? ssl : NULL;
}

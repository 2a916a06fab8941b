/// A throwaway certificate for localhost and 127.0.0.1 with its key, made for tests alone; it is its own authority. PEM.
package enum TestCertificates {
    package static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBWzCCAQGgAwIBAgIBATAKBggqhkjOPQQDAjAOMQwwCgYDVQQDDANDVDEwIBcN
        MjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMA4xDDAKBgNVBAMMA0NUMTBZ
        MBMGByqGSM49AgEGCCqGSM49AwEHA0IABGs8iDdDyOYOwQCF4F6Pt7HY0k3L+iDI
        VdcgF/slM5YxtUcKal17SPD2BzioullBPlPUP4u6m+PQxWoQWRkOBEqjTjBMMA8G
        A1UdEwEB/wQFMAMBAf8wGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMB0GA1Ud
        DgQWBBTM9k9YJfA7qqyrUlU6PSui3n7j9DAKBggqhkjOPQQDAgNIADBFAiEAlIz7
        WdnupZgqdSA6epyjt7RopR4GTtsTMpC83Ogq5CQCIG0eLelpbF8abw3o+kdXwuJR
        q27vw201yOIWM7ArK25n
        -----END CERTIFICATE-----
        """
    package static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgmv8so8GySE7Kb3Bm
        HTkjkv265yNXqq0k5BiZoT/HR4OhRANCAARrPIg3Q8jmDsEAheBej7ex2NJNy/og
        yFXXIBf7JTOWMbVHCmpde0jw9gc4qLpZQT5T1D+Lupvj0MVqEFkZDgRK
        -----END PRIVATE KEY-----
        """
}

/// Keys in PEM that were made for these tests and protect nothing.
enum PEMSamples {
    /// P-256 in SEC 1. RFC 5915.
    static let sec1 = """
        -----BEGIN EC PRIVATE KEY-----
        MHcCAQEEICUUgxw155iV/0+NYr74TRArm9nbVPqXRZTLo7OKABEeoAoGCCqGSM49
        AwEHoUQDQgAEC4IN2MsHiPqlQprRet3ZwMTh/1j1Nakpb9+66umEei3TzJ95K6LE
        wxSvFBNEoV4sVjLKKhA+JbGjH3NZZIp0NA==
        -----END EC PRIVATE KEY-----

        """

    /// The parameters of P-256, as `openssl ecparam` writes them before a key.
    static let parameters = """
        -----BEGIN EC PARAMETERS-----
        BggqhkjOPQMBBw==
        -----END EC PARAMETERS-----

        """

    /// P-256 in PKCS #8, protected by a password.
    static let encrypted = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAir3ImLy/xGDgICCAAw
        DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEI07nwdb+4ky2HzrOryZuIEEgZDF
        3ypDOwdjnCLtZldUK4ZnXM/Qemi6F2jc8l1FGUULZQu86cDIfViqxE9Ax00/tcx6
        7FFL7J1vG3rgh/2CIZDmJf4J7MWdfMf7S7c0OOYMfHx/K/T1ZSHr7coK6pzW0U3X
        o8w2YmD6NeogLMOtfEF9x48qoMEEV2xdibzTyaekEXSvSa9dGh62lg5GZXLcpqI=
        -----END ENCRYPTED PRIVATE KEY-----

        """

    /// On a curve that is not for us.
    static let secp256k1 = """
        -----BEGIN PRIVATE KEY-----
        MIGEAgEAMBAGByqGSM49AgEGBSuBBAAKBG0wawIBAQQgSA30raecMjFS0rcU+iIZ
        YWFKGL7KW+eN7F3GUcCRXbKhRANCAARzXAri9WeldJyl4M36l/63hSHPTH4Ug90i
        7M5UXmUVIHIbxr+O5AGzQmRrBCKaZGHC/awzn5OKLsTvIpopyOt/
        -----END PRIVATE KEY-----

        """

    /// Of a kind that is not for us.
    static let ed25519 = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEINyGet1ZyDdThkx/Hpi+aOalpsGiVhkLHzrMVSs+Gh87
        -----END PRIVATE KEY-----

        """

    /// RSA of 2048 bits in PKCS #8; making one is slow.
    static let rsa = """
        -----BEGIN PRIVATE KEY-----
        MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQC2XNMzPCFCxiQ8
        JAehsRUGlV0FtkQklnBioSXR7nac3s0zmamh+8Jr1r6KZFtGSq+U9wOS5Xdax5Pm
        rC1gUSe8It9GDbf/oiIWIH35rhsEMa4FBLjM+MELLuTsq2eaI8xMX5C7hKViMRzJ
        IjDuSuZjVW9jKTDXP25aaJ8tcOx6dWCAl3jbYnY0ykX5oReoxkN3Aw9ctWqswEu8
        V6xIiXKwheXtR2XbALLwAykbEw76L/f3eiAZiNrEAF32SO9+Czg4AmMMZOIiz871
        0+kAYWOIE3M3S6NvAL4i/+p7rMBpGzPNoC20lfZ7TG8jjcj3+rY10GVzjYoUNV1h
        fq2eesLzAgMBAAECggEAUUSwwkZrtCxE/aA43m/iJNrvZ5pAZ+W7E9ko15NjvKj1
        3ab/F7bwf8plg5sRqhOih8pFB3PHaudCHCxi1GeWQ5tu0PNQKlYAxseYHGrgk0/o
        c0gVaxL4RJmTX31LYD/PzcFQ6KBGa6njYCciky9B2Ma8Kv6yS1pzPUselMucNz3R
        RYgZjF1u/7x9SzSYU1//m6lOotvZAZUBv1CTBeJ8bJ2cqqLyDHrYy6aYrZW5DjjB
        tQuUabU6mWfa8mGiIXPzxoBv95yxdyszldiCFdaeKbtwFJmde5TVEmxoR3V0MyTL
        XzqoUDaHMCYbHoKxKTvNEgwSCyBH4ntBvDhnovhecQKBgQD5Pq8IJlx/mgTRZLd5
        EBER2q6VBMYFIO7yzgyCnBnA6e0cVgHLptyLPyBZx79res5QWaF2WYlF66L5jEgq
        mOQRaUKKTYcNTz1U4rJsA5jCl5jTsW2VWDpTooi5ukI+ERAEe5UA5yzQmpOvKDm0
        8EVKn2WSgN7sNRkAmddDJSy37QKBgQC7ThjnLNYuKp1fDoYMsHECLPwe7/BqJOmr
        E50QIJ2+prDUCXhLg36emNJc/TH06Q7OOIaE7KJwPFIQeauZy5ewBBfhppSvHocB
        VP4cq8k1CQIDkenjMtJC0aeRoYw0v4A3BCedHRSD6ADKLd71eY/Qek4/jq84rY8m
        s9NZVZhKXwKBgFbsjY6CEnBN/rAoN/R4rftUEN7Xs1fGjI8RXTuPxUuKSa9AL5Ae
        uXu2oEmvaArL4XgUSkNEJqPD8iqlyeVRPPj1hMdHEnqJ0BHyndcdygDTbfEmR9l1
        06GnZZegZcnPmY52qxiNhwuZXTgRB08bHI9R19KoLxahzf5vqKs6I8ZhAoGATXjQ
        /hVihXfk3aNhOLBmHbNDmPw/YXfhGnyjUz9aX7gMnbdJBVrfLXQiVon3dshK8msY
        4LQLwAaDHwNkQdme5RPcWN4Q05n510gzTuKS95fBOH7K0cl8hFy5RZgfKNYojxjt
        1aNoj+KPKRDuDnR4Uo+z+7/lo7jN5AEvIt0vf1sCgYAKOoUnVIfDlua1MAKmZQqS
        LmVD3MJp+QZGxkXTeP4BFbsYsHxOSPra8qeJ+7+aXymlOy7OuJGFA0rbAPDH7Lhe
        HSJ/NeK1CKNPlYpEySVOQR6Po3/RzyGqLs90BtM6l6oJ9qIAT4qDZx4dA526u20+
        wbx5p6woPTfiJNBe4gM34Q==
        -----END PRIVATE KEY-----

        """
}

import COpenSSL

/// An X.509 certificate. RFC 5280.
package final class Certificate: Sendable {
    /// Signed or read, and complete.
    private let owned: LibcryptoObject
    private var certificate: OpaquePointer { owned.address }

    private init(owning certificate: OpaquePointer) {
        owned = LibcryptoObject(certificate, freedBy: X509_free)
    }

    /// Reads the first certificate of a PEM text. Throws ``CryptographyError`` `.certificate` for a text that has none.
    package convenience init(pem: String) throws(CryptographyError) {
        guard let certificate = PEMText.read(pem, { PEM_read_bio_X509($0, nil, PEMText.noPassword, nil) }) else {
            throw CryptographyError(.certificate, "no certificate in PEM")
        }
        self.init(owning: certificate)
    }

    /// Makes a certificate for a key, signed by its issuer with ECDSA over the curve's hash; by the key itself without one.
    /// Its serial number is random, of 20 bytes. Throws ``CryptographyError`` `.certificate` for a value that no
    /// certificate may hold, and `.key` for an issuer's key that is not its certificate's.
    package convenience init(
        _ template: CertificateTemplate, key: PrivateKey, issuer: (certificate: Certificate, key: PrivateKey)? = nil
    ) throws(CryptographyError) {
        guard let certificate = X509_new() else { throw CryptographyError(.unavailable, "out of memory") }
        // The writer has no more than the issuer's address.
        defer { withExtendedLifetime(issuer) {} }
        do {
            try CertificateWriter(certificate: certificate, issuer: issuer?.certificate.certificate ?? certificate)
                .write(template, key: key, signer: issuer?.key ?? key)
        } catch {
            X509_free(certificate)
            throw error
        }
        self.init(owning: certificate)
    }

    /// In PEM, with a line end. RFC 7468 §5.
    package var pem: String {
        get throws(CryptographyError) {
            try PEMText.write("a certificate cannot be written") { PEM_write_bio_X509($0, certificate) }
        }
    }

    /// When it begins and ends to hold, in seconds since 1970 UTC. Throws ``CryptographyError`` `.certificate` for a date
    /// that is none.
    package var validity: ClosedRange<Int64> {
        get throws(CryptographyError) {
            let (begin, end) = (
                try Self.seconds(X509_get0_notBefore(certificate)), try Self.seconds(X509_get0_notAfter(certificate))
            )
            guard begin <= end else { throw CryptographyError(.certificate, "a certificate that never holds") }
            return begin...end
        }
    }

    private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) throws(CryptographyError) -> Int64 {
        let epoch = ASN1_TIME_set(nil, 0)
        defer { ASN1_TIME_free(epoch) }
        var (days, seconds): (Int32, Int32) = (0, 0)
        guard let time, ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else {
            throw CryptographyError(.certificate, "a date that is none")
        }
        return Int64(days) * 86400 + Int64(seconds)
    }
}

import COpenSSL

/// Fills in a new certificate and signs it.
struct CertificateWriter {
    /// Both belong to the caller; the issuer is the certificate itself where that signs itself.
    let certificate: OpaquePointer
    let issuer: OpaquePointer

    private static let serialBytes = 20

    func write(_ template: CertificateTemplate, key: PrivateKey, signer: PrivateKey) throws(CryptographyError) {
        let isSelfSigned = issuer == certificate
        guard case .ec(let curve) = signer.publicKey.kind else {
            throw CryptographyError(.key, "certificates are signed with EC keys")
        }
        // Version 3 is written as 2.
        guard X509_set_version(certificate, 2) == 1, X509_set_pubkey(certificate, key.key) == 1 else {
            throw CryptographyError(.unavailable, "a certificate cannot be made")
        }
        try setSerialNumber()
        guard ASN1_TIME_set(X509_getm_notBefore(certificate), Int(template.validity.lowerBound)) != nil,
            ASN1_TIME_set(X509_getm_notAfter(certificate), Int(template.validity.upperBound)) != nil
        else { throw CryptographyError(.certificate, "a date that no certificate may hold") }
        for attribute in template.subject { try add(attribute) }
        guard X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 else {
            throw CryptographyError(.unavailable, "a certificate cannot be made")
        }
        guard isSelfSigned || X509_check_private_key(issuer, signer.key) == 1 else {
            throw CryptographyError(.key, "the issuer's certificate is of another key")
        }
        for one in template.extensions { try add(one) }
        guard X509_sign(certificate, signer.key, curve.hash.algorithm) > 0 else {
            throw CryptographyError(.unavailable, "a certificate cannot be signed")
        }
    }

    /// Positive and of the greatest length that is allowed. RFC 5280 §4.1.2.2.
    private func setSerialNumber() throws(CryptographyError) {
        var bytes = SecureRandom.bytes(Self.serialBytes)
        bytes[0] = bytes[0] & 0x7F | 0x40
        let number = BN_bin2bn(bytes, Int32(bytes.count), nil)
        defer { BN_free(number) }
        guard BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nil else {
            throw CryptographyError(.unavailable, "a certificate cannot be numbered")
        }
    }

    private func add(_ attribute: CertificateTemplate.NameAttribute) throws(CryptographyError) {
        let (kind, text) =
            switch attribute {
            case .commonName(let text): (NID_commonName, text)
            case .organization(let text): (NID_organizationName, text)
            }
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty, !bytes.contains(0),
            X509_NAME_add_entry_by_NID(
                X509_get_subject_name(certificate), kind, V_ASN1_UTF8STRING, bytes, Int32(clamping: bytes.count), -1, 0)
                == 1
        else { throw CryptographyError(.certificate, "a name that no certificate may hold") }
    }

    private func add(_ one: CertificateTemplate.Extension) throws(CryptographyError) {
        switch one {
        case .authority(let pathLengthMax):
            try add(NID_basic_constraints, "critical,CA:TRUE,pathlen:\(pathLengthMax)")
        case .noAuthority: try add(NID_basic_constraints, "critical,CA:FALSE")
        case .keyUsage(let uses):
            try add(NID_key_usage, "critical," + uses.map(\.rawValue).joined(separator: ","))
        case .extendedKeyUsage(let uses): try add(NID_ext_key_usage, uses.map(\.rawValue).joined(separator: ","))
        case .subjectAlternativeNames(let dns, let addresses): try addNames(dns, addresses)
        case .subjectKeyIdentifier: try add(NID_subject_key_identifier, "hash")
        }
    }

    /// An extension in the words of OpenSSL's x509v3_config(5). The values are ours alone; what others name is not put into
    /// words, in which a comma would begin the next one.
    private func add(_ kind: Int32, _ words: String) throws(CryptographyError) {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, issuer, certificate, nil, nil, 0)
        guard let made = X509V3_EXT_nconf_nid(nil, &context, kind, words) else {
            throw CryptographyError(.certificate, "an extension that no certificate may hold")
        }
        defer { X509_EXTENSION_free(made) }
        guard X509_add_ext(certificate, made, -1) == 1 else {
            throw CryptographyError(.unavailable, "a certificate cannot be made")
        }
    }

    /// RFC 5280 §4.2.1.6.
    private func addNames(_ dns: [String], _ addresses: [[UInt8]]) throws(CryptographyError) {
        guard let names = GENERAL_NAMES_new() else { throw CryptographyError(.unavailable, "out of memory") }
        defer { GENERAL_NAMES_free(names) }
        for name in dns {
            let bytes = Array(name.utf8)
            guard !bytes.isEmpty, bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw CryptographyError(.certificate, "a DNS name that is not in ASCII")
            }
            try add(bytes, GEN_DNS, as: V_ASN1_IA5STRING, to: names)
        }
        for address in addresses {
            guard address.count == 4 || address.count == 16 else {
                throw CryptographyError(.certificate, "an address of neither 4 nor 16 bytes")
            }
            try add(address, GEN_IPADD, as: V_ASN1_OCTET_STRING, to: names)
        }
        guard
            X509_add1_ext_i2d(
                certificate, NID_subject_alt_name, UnsafeMutableRawPointer(names), 0, UInt(X509V3_ADD_DEFAULT)) == 1
        else {
            throw CryptographyError(.certificate, "names that no certificate may hold")
        }
    }

    private func add(_ bytes: [UInt8], _ kind: Int32, as type: Int32, to names: OpaquePointer)
        throws(CryptographyError)
    {
        guard let name = GENERAL_NAME_new() else { throw CryptographyError(.unavailable, "out of memory") }
        let value = ASN1_STRING_type_new(type)
        guard let value, ASN1_STRING_set(value, bytes, Int32(clamping: bytes.count)) == 1 else {
            ASN1_STRING_free(value)
            GENERAL_NAME_free(name)
            throw CryptographyError(.unavailable, "out of memory")
        }
        GENERAL_NAME_set0_value(name, kind, value)
        guard hilum_general_names_push(names, name) > 0 else {
            GENERAL_NAME_free(name)
            throw CryptographyError(.unavailable, "out of memory")
        }
    }
}

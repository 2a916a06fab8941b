import Basics
import Cryptography

/// What a page says that an authenticator signs over. WebAuthn Level 3 §5.8.1.
struct ClientData: Sendable {
    /// Which of the two ceremonies.
    enum Ceremony: String, Sendable { case create = "webauthn.create", get = "webauthn.get" }

    static let bytesMax = 4096

    /// As the authenticator signed over it.
    let bytes: [UInt8]
    let challenge: [UInt8]

    /// Throws ``PasskeyFault`` for what was not made by a page of this server, by itself and for this ceremony. Whether
    /// the challenge is one is for the caller to say.
    init(_ bytes: [UInt8], _ ceremony: Ceremony, at party: RelyingParty) throws(PasskeyFault) {
        guard bytes.count <= Self.bytesMax, let members = JOSEValue(object: bytes), let type = members["type"]?.text,
            let challenge = members["challenge"]?.text.flatMap({ Base64URL.decode($0.utf8) }),
            let origin = members["origin"]?.text
        else { throw .malformed }
        guard type.utf8.elementsEqual(ceremony.rawValue.utf8) else { throw .type }
        // Byte for byte: no prefix, no other port, no other case.
        guard party.origins.contains(where: { $0.utf8.elementsEqual(origin.utf8) }) else { throw .origin }
        // Nobody has these pages in a frame, and a page that says so was not shown by us. WebAuthn Level 3 §13.4.9.
        switch members["crossOrigin"] {
        case nil, .boolean(false): break
        default: throw .crossOrigin
        }
        guard members["topOrigin"] == nil else { throw .crossOrigin }
        self.bytes = bytes
        self.challenge = challenge
    }
}

/// What an authenticator says of itself and of its person. WebAuthn Level 2 §6.1.
struct AuthenticatorData: Sendable {
    /// WebAuthn Level 3 §6.1.
    struct Flags: OptionSet, Sendable {
        let rawValue: UInt8
        static let userPresent = Flags(rawValue: 1 << 0)
        static let userVerified = Flags(rawValue: 1 << 2)
        static let backupEligible = Flags(rawValue: 1 << 3)
        static let backedUp = Flags(rawValue: 1 << 4)
        static let attested = Flags(rawValue: 1 << 6)
        static let extended = Flags(rawValue: 1 << 7)
    }

    /// A credential that was just made. WebAuthn Level 2 §6.5.1.
    struct Attested: Sendable {
        let credentialID: [UInt8]
        /// As it came.
        let publicKey: [UInt8]
    }

    static let bytesMax = 4096
    /// Hash, flags and count.
    private static let headBytes = 37
    /// Identifiers have 16 bytes at least. WebAuthn Level 2 §4 (credential ID).
    static let credentialBytes = 16...1023

    let bytes: [UInt8]
    let flags: Flags
    let signCount: UInt32
    let attested: Attested?

    /// Reads it and judges what does not depend on the credential. Throws ``PasskeyFault``.
    init(_ bytes: [UInt8], at party: RelyingParty, mustBeVerified: Bool) throws(PasskeyFault) {
        guard (Self.headBytes...Self.bytesMax).contains(bytes.count) else { throw .malformed }
        flags = Flags(rawValue: bytes[32])
        signCount = bytes[33..<37].reduce(0) { $0 << 8 | UInt32($1) }
        var position = Self.headBytes
        var attested: Attested?
        if flags.contains(.attested) {
            // 16 bytes say which model it is, which nobody asked for.
            guard bytes.count >= position + 18 else { throw .malformed }
            let length = Int(bytes[position + 16]) << 8 | Int(bytes[position + 17])
            position += 18
            guard Self.credentialBytes.contains(length), bytes.count - position > length else { throw .malformed }
            let credentialID = Array(bytes[position..<(position + length)])
            position += length
            guard let (value, end) = try? CBOR.first(of: bytes, from: position), case .map = value else {
                throw .malformed
            }
            attested = Attested(credentialID: credentialID, publicKey: Array(bytes[position..<end]))
            position = end
        }
        if flags.contains(.extended) {
            guard let (value, end) = try? CBOR.first(of: bytes, from: position), case .map = value else {
                throw .malformed
            }
            position = end
        }
        guard position == bytes.count else { throw .malformed }
        guard bytes.prefix(32).elementsEqual(party.idHash) else { throw .relyingParty }
        guard flags.contains(.userPresent) else { throw .notPresent }
        guard !mustBeVerified || flags.contains(.userVerified) else { throw .notVerified }
        // What may not be on two devices is not. WebAuthn Level 3 §6.1.3.
        guard flags.contains(.backupEligible) || !flags.contains(.backedUp) else { throw .backup }
        self.bytes = bytes
        self.attested = attested
    }
}

/// A credential that a page had made: what a passkey is registered by. WebAuthn Level 2 §7.1.
///
/// Who made the authenticator is not asked (`attestation: none`). Where a browser sends a statement all the same, of
/// whatever format, it is taken as `none`: it is read as CBOR, and nothing is believed of it.
struct PasskeyRegistration: Sendable {
    static let attestationBytesMax = 16 * 1024

    let client: ClientData
    let data: AuthenticatorData
    let attested: AuthenticatorData.Attested

    /// Throws ``PasskeyFault``.
    init(clientData: [UInt8], attestation: [UInt8], at party: RelyingParty) throws(PasskeyFault) {
        client = try ClientData(clientData, .create, at: party)
        guard attestation.count <= Self.attestationBytesMax, let object = try? CBOR(attestation),
            object["fmt"]?.string != nil, case .map? = object["attStmt"], let bytes = object["authData"]?.octets
        else { throw .malformed }
        data = try AuthenticatorData(bytes, at: party, mustBeVerified: true)
        guard let attested = data.attested else { throw .malformed }
        guard attested.publicKey.count <= COSEKey.bytesMax, let key = try? CBOR(attested.publicKey),
            (try? COSEKey(key)) != nil
        else { throw .key }
        self.attested = attested
    }
}

/// What a page got from an authenticator to sign in with. WebAuthn Level 2 §7.2.
struct PasskeyAssertion: Sendable {
    static let signatureBytesMax = 1024

    let credentialID: [UInt8]
    /// The account's id, as the authenticator keeps it; empty where it told none.
    let userHandle: [UInt8]
    let client: ClientData
    let data: AuthenticatorData
    let signature: [UInt8]

    /// Throws ``PasskeyFault``.
    init(
        credentialID: [UInt8], userHandle: [UInt8], clientData: [UInt8], authenticatorData: [UInt8],
        signature: [UInt8], at party: RelyingParty, mustBeVerified: Bool
    ) throws(PasskeyFault) {
        guard AuthenticatorData.credentialBytes.contains(credentialID.count), userHandle.count <= 64,
            (1...Self.signatureBytesMax).contains(signature.count)
        else { throw .malformed }
        client = try ClientData(clientData, .get, at: party)
        data = try AuthenticatorData(authenticatorData, at: party, mustBeVerified: mustBeVerified)
        self.credentialID = credentialID
        self.userHandle = userHandle
        self.signature = signature
    }

    /// Whether it was signed with the key of a passkey.
    func isSigned(by key: COSEKey) -> Bool {
        key.verifies(signature, of: data.bytes + SHA256.digest(client.bytes))
    }
}

import Cryptography
import DICOMData

/// What takes the place of identifiers: always the same for the same one, and not to be traced back or joined with
/// another site's without the key. HMAC-SHA-256 (RFC 2104) under labels of their own.
package struct Pseudonyms: Sendable {
    private let key: [UInt8]

    /// Keys below this are refused. Bytes.
    package static let keyBytesMin = 16

    /// nil for a key of less than 16 bytes.
    package init?(key: [UInt8]) {
        guard key.count >= Self.keyBytesMin else { return nil }
        self.key = key
    }

    /// A UID below 2.25 in the place of another. Registered ones, such as SOP classes and well-known frames of reference,
    /// are facts of the standard and stay. PS3.5 §B.2.
    package func uid(_ uid: String) -> String {
        guard UIDRegistry.entry(uid) == nil else { return uid }
        // A UUID of a form of our own. RFC 9562 §5.8.
        return UID.fromUUID(version: 8, of: digest("uid", [uid]))
    }

    /// 16 letters and digits for a patient's id and who issued it; the spelling of an id without issuer is its own.
    package func patientID(_ id: String, issuer: String) -> String { text(digest("patient", [issuer, id])) }

    /// The name of the patient of that id: it does not depend on how the name was written.
    package func patientName(_ id: String, issuer: String) -> String {
        "Patient^" + text(digest("name", [issuer, id]))
    }

    /// 16 letters and digits: an SH value. PS3.5 §6.2.
    package func accessionNumber(_ number: String, issuer: String) -> String {
        text(digest("accession", [issuer, number]))
    }

    /// How many units the dates of a patient go back: 1 to `max`, which counts for 10,000 at most.
    package func shift(_ id: String, issuer: String, max: Int) -> Int {
        let number = digest("dates", [issuer, id]).prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return 1 + Int(number % UInt64(Swift.max(1, Swift.min(max, 10_000))))
    }

    /// Each part with its length in front, so that no two lists are one message.
    private func digest(_ label: String, _ parts: [String]) -> [UInt8] {
        let message = ([label] + parts).flatMap { part in "\(part.utf8.count):".utf8 + Array(part.utf8) }
        return KeyDerivation.hmac(key, message)
    }

    /// The first 80 bits, 5 a character, in digits and letters that are not taken for one another.
    private func text(_ digest: [UInt8]) -> String {
        let letters = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        let number = digest.prefix(10).reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        return String((0..<16).map { letters[Int(number >> UInt128(75 - 5 * $0) & 31)] })
    }
}

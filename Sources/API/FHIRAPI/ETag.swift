import FHIRResources
import HTTPSupport
import Workflow

/// Versions as weak entity tags. FHIR R4 http.html#versioning.
enum ETag {
    static func text(_ version: Int64) -> String { "W/\"\(version)\"" }

    /// The tags of an If-Match or If-None-Match field, weak or strong; nil when it is neither `*` nor a list of tags.
    /// Empty elements are passed over. RFC 9110 §5.6.1, §8.8.3.
    static func tags(_ text: String) -> WritePrecondition.Tags? {
        let bytes = Array(text.utf8)
        var found: [String] = []
        var hasAny = false
        var at = 0
        func skip(_ marks: StaticString) {
            while at < bytes.count, marks.withUTF8Buffer({ $0.contains(bytes[at]) }) { at += 1 }
        }
        while true {
            skip(" \t,")
            guard at < bytes.count else { break }
            if bytes[at] == UInt8(ascii: "*") {
                hasAny = true
                at += 1
            } else {
                if bytes[at...].starts(with: "W/".utf8) { at += 2 }
                guard at < bytes.count, bytes[at] == UInt8(ascii: "\""),
                    let end = bytes[(at + 1)...].firstIndex(of: UInt8(ascii: "\""))
                else { return nil }
                found.append(String(decoding: bytes[(at + 1)..<end], as: UTF8.self))
                at = end + 1
            }
            skip(" \t")
            guard at == bytes.count || bytes[at] == UInt8(ascii: ",") else { return nil }
        }
        // `*` stands alone.
        if hasAny { return found.isEmpty ? .any : nil }
        return found.isEmpty ? nil : .listed(found)
    }

    /// Whether a field of tags (or `*`) holds the version; one that is malformed holds none.
    static func list(_ text: String, holds version: Int64) -> Bool { tags(text)?.hold(version) ?? false }

    /// Whether a field of tags (or `*`) holds an opaque tag, by weak comparison. RFC 9110 §8.8.3.2.
    static func list(_ text: String, holds tag: String) -> Bool {
        switch tags(text) {
        case .any: true
        case .listed(let tags): tags.contains(tag)
        case nil: false
        }
    }
}

extension UTCInstant {
    /// The instant as an HTTP date; the fraction of the second is dropped. RFC 9110 §5.6.7.
    var httpDate: String {
        let (seconds, fraction) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return HTTPDate.text(secondsSince1970: fraction < 0 ? seconds - 1 : seconds)
    }
}

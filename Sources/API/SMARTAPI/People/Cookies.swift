import HTTPTypes

/// Cookies of this server: bound to its host and path, sent by TLS alone, unseen by scripts. RFC 6265bis §4.1.3.2.
///
/// `SameSite=Lax`: an app leads a browser to the authorization endpoint from another site, where `Strict` would have each
/// person sign in again. What changes something is a POST, with which Lax sends no cookie from another site, and has a
/// token of its own.
enum Cookies {
    static let session = "__Host-hilum-session"
    /// Of a browser that has not signed in yet, so that its forms are its own.
    static let form = "__Host-hilum-form"
    /// Of a browser that has signed in before.
    static let device = "__Host-hilum-device"
    /// Of a browser that signs in at an outside provider.
    static let outside = "__Host-hilum-outside"
    /// Longer values are not ours, in bytes.
    private static let valueBytesMax = 256

    /// The value of a cookie; nil for none, a long one, and two that differ.
    static func value(_ name: String, in header: String?) -> String? {
        var found: String?
        for pair in (header ?? "").split(separator: ";").prefix(100) {
            let text = pair.drop { $0 == " " }
            guard text.hasPrefix(name + "=") else { continue }
            let value = String(text.dropFirst(name.count + 1))
            guard value.utf8.count <= valueBytesMax, found == nil || found == value else { return nil }
            found = value
        }
        return found
    }

    /// Sets a cookie.
    /// - Parameter seconds: how long a browser keeps it; nil for as long as it runs, 0 to forget it.
    static func set(_ name: String, _ value: String, seconds: Int64? = nil) -> HTTPField {
        let age = seconds.map { "; Max-Age=\($0)" } ?? ""
        return HTTPField(name: .setCookie, value: "\(name)=\(value); Path=/; Secure; HttpOnly; SameSite=Lax\(age)")
    }
}

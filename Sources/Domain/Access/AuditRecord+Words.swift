/// How keys of DIMSE stand in ``AuditRecord/query``: `name=value&name=value`. What came by HTTP stands as it did in the URL.
extension AuditRecord {
    /// In a value `%` and `&` are `%25` and `%26`, so that no value is read as another key; all else is as it is.
    package static func words(of keys: [(name: String, value: String)]) -> String {
        keys.map { name, value in
            name + "=" + value.replacing("%", with: "%25").replacing("&", with: "%26")
        }.joined(separator: "&")
    }

    /// A value of ``words(of:)`` as it was.
    package static func value(ofWord text: some StringProtocol) -> String {
        String(text).replacing("%26", with: "&").replacing("%25", with: "%")
    }
}

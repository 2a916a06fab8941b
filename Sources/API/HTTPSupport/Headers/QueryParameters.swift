/// The parameters of a query string or an `application/x-www-form-urlencoded` body: order and repeats are kept.
package struct QueryParameters: Sendable, Hashable, RandomAccessCollection {
    package struct Parameter: Sendable, Hashable {
        package let name: String
        package let value: String
        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    private var parameters: [Parameter] = []

    package init(_ parameters: [Parameter] = []) { self.parameters = parameters }

    /// Reads a query. Empty pieces (`a=1&&b=2`) are passed over; a name without `=` has an empty value.
    /// Throws `.malformed` for a bad escape, bytes that are not UTF-8, a NUL, or more than `countMax` parameters.
    ///
    /// - Parameter plusIsSpace: as in the query that a form makes; in a URL by itself `+` is a character like others
    ///   (RFC 3986 §3.4).
    package init(
        _ query: String, countMax: Int = HTTPLimits().queryParametersMax, plusIsSpace: Bool = true
    ) throws(HTTPFailure) {
        try self.init(bytes: Array(query.utf8), countMax: countMax, plusIsSpace: plusIsSpace)
    }

    /// Reads the bytes of a query or form body. Errors as ``init(_:countMax:plusIsSpace:)``.
    package init(bytes: [UInt8], countMax: Int, plusIsSpace: Bool = true) throws(HTTPFailure) {
        for piece in bytes.split(separator: UInt8(ascii: "&")) {
            guard parameters.count < countMax else {
                throw HTTPFailure(.malformed, "More than \(countMax) query parameters")
            }
            let equals = piece.firstIndex(of: UInt8(ascii: "=")) ?? piece.endIndex
            let value = equals == piece.endIndex ? piece[equals...] : piece[(equals + 1)...]
            parameters.append(
                Parameter(
                    name: try QueryParameters.text(piece[..<equals], plusIsSpace),
                    value: try QueryParameters.text(value, plusIsSpace)))
        }
    }

    /// The first value of a name.
    package subscript(_ name: String) -> String? { parameters.first { $0.name == name }?.value }
    /// All values of a name in order.
    package func values(_ name: String) -> [String] { parameters.compactMap { $0.name == name ? $0.value : nil } }

    package var startIndex: Int { parameters.startIndex }
    package var endIndex: Int { parameters.endIndex }
    package subscript(position: Int) -> Parameter { parameters[position] }

    private static func text(_ raw: ArraySlice<UInt8>, _ plusIsSpace: Bool) throws(HTTPFailure) -> String {
        guard let bytes = PercentCoding.decoded(raw, plusIsSpace: plusIsSpace), !bytes.contains(0),
            let text = String(validating: bytes, as: UTF8.self)
        else { throw HTTPFailure(.malformed, "A query parameter is not percent-encoded UTF-8") }
        return text
    }
}

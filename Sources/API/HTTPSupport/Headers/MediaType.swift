/// A media type with its parameters, or a range of them with `*`. RFC 9110 §8.3.1.
///
/// Type, subtype and parameter names are kept in lower case; parameter values as sent. Equality is exact.
package struct MediaType: Sendable, Hashable, CustomStringConvertible {
    package struct Parameter: Sendable, Hashable {
        package let name: String
        package let value: String
    }

    package let type: String
    package let subtype: String
    package let parameters: [Parameter]

    package init(type: String, subtype: String, parameters: [(String, String)] = []) {
        self.type = type
        self.subtype = subtype
        self.parameters = parameters.map { Parameter(name: $0.0, value: $0.1) }
    }

    /// Reads a media type. Nil for anything that the grammar does not allow, also a repeated parameter.
    package init?(_ text: String) {
        var reader = HeaderReader(text)
        guard let type = MediaType(&reader), reader.isAtEnd else { return nil }
        self = type
    }

    init?(_ reader: inout HeaderReader) {
        reader.skipSpace()
        guard let type = reader.token(), reader.take(UInt8(ascii: "/")), let subtype = reader.token() else {
            return nil
        }
        guard type != "*" || subtype == "*" else { return nil }
        var parameters: [Parameter] = []
        while true {
            reader.skipSpace()
            guard reader.take(UInt8(ascii: ";")) else { break }
            reader.skipSpace()
            // An empty parameter (`a/b;` or `a/b;;c=d`) is legal. RFC 9110 §5.6.6.
            if reader.isAtEnd || reader.peek == UInt8(ascii: ";") || reader.peek == UInt8(ascii: ",") { continue }
            guard let name = reader.token()?.lowercased(), reader.take(UInt8(ascii: "=")),
                let value = reader.tokenOrQuoted(), !parameters.contains(where: { $0.name == name })
            else { return nil }
            parameters.append(Parameter(name: name, value: value))
        }
        self.type = type.lowercased()
        self.subtype = subtype.lowercased()
        self.parameters = parameters
    }

    /// `type/subtype` in lower case without parameters.
    package var essence: String { type + "/" + subtype }
    /// The value of a parameter, asked for in lower case.
    package subscript(_ name: String) -> String? { parameters.first { $0.name == name }?.value }

    /// The type as header text; values that are not tokens are quoted.
    package var description: String {
        var text = essence
        for parameter in parameters {
            text += ";\(parameter.name)="
            text += HeaderReader.isToken(parameter.value) ? parameter.value : HeaderReader.quoted(parameter.value)
        }
        return text
    }

    /// Whether a type falls in this range, looking only at type and subtype.
    package func includes(_ other: MediaType) -> Bool {
        (type == "*" || type == other.type) && (subtype == "*" || subtype == other.subtype)
    }

    package func dropping(_ name: String) -> MediaType {
        MediaType(
            type: type, subtype: subtype, parameters: parameters.filter { $0.name != name }.map { ($0.name, $0.value) })
    }
}

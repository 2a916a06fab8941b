/// A few texts kept as one: fields with a tab between them, in which a backslash leads what would be read as something
/// else. A field that is not there is `\-`.
enum KeptFields {
    static func text(_ fields: [String?]) -> String {
        fields.map { field in
            guard let field else { return "\\-" }
            var text = ""
            for scalar in field.unicodeScalars {
                switch scalar {
                case "\\": text += "\\\\"
                case "\t": text += "\\t"
                default: text.unicodeScalars.append(scalar)
                }
            }
            return text
        }.joined(separator: "\t")
    }

    /// Nil for a text that ``text(_:)`` does not make.
    static func fields(_ text: String) -> [String?]? {
        var fields: [String?] = []
        for part in text.utf8.split(separator: 0x09, omittingEmptySubsequences: false) {
            if part.elementsEqual("\\-".utf8) {
                fields.append(nil)
                continue
            }
            var bytes: [UInt8] = []
            var rest = part[...]
            while let byte = rest.popFirst() {
                guard byte == 0x5C else {
                    bytes.append(byte)
                    continue
                }
                switch rest.popFirst() {
                case 0x5C?: bytes.append(0x5C)
                case 0x74?: bytes.append(0x09)
                default: return nil
                }
            }
            fields.append(String(decoding: bytes, as: UTF8.self))
        }
        return fields
    }
}

import DICOMData

/// A structured report as a person reads it: its content items as a tree, and whom it is about. PS3.3 §C.17.3.
package struct ReportDocument: Sendable {
    /// Items that are shown; a tree of more is cut, and says so.
    package static let itemsMax = 20_000
    /// Containers in containers.
    package static let depthMax = 32

    /// One content item.
    struct Item: Sendable, Equatable {
        /// 0 for those of the root.
        var depth: Int
        /// The concept name; empty for none.
        var name: String
        /// Empty for a container.
        var value: String
        var isContainer: Bool
    }

    let title: String
    /// Patient, study and state: names and values that are there.
    let facts: [(name: String, value: String)]
    private(set) var items: [Item] = []
    private(set) var isCut = false

    /// nil for a data set that is no report: whose root is no container with content.
    package init?(_ dataSet: DataSet) {
        guard dataSet.string(.valueType) == "CONTAINER", dataSet.contains(.contentSequence) else { return nil }
        title = Self.meaning(dataSet, .conceptNameCodeSequence) ?? "Report"
        let named: [(String, String?)] = [
            ("Patient", dataSet.personName(.patientName).map(Self.text)), ("Patient ID", dataSet.string(.patientID)),
            ("Birth date", dataSet.string(.patientBirthDate)), ("Sex", dataSet.string(.patientSex)),
            ("Study", dataSet.string(.studyDescription)), ("Study date", dataSet.string(.studyDate)),
            ("Accession number", dataSet.string(.accessionNumber)), ("Content date", dataSet.string(.contentDate)),
            ("Completion", dataSet.string(.completionFlag)), ("Verification", dataSet.string(.verificationFlag)),
        ]
        facts = named.compactMap { name, value in value.map { (name, $0) } }
        add(dataSet.items(.contentSequence), depth: 0)
    }

    private mutating func add(_ content: [DataSet], depth: Int) {
        guard depth < Self.depthMax else {
            isCut = isCut || !content.isEmpty
            return
        }
        for item in content {
            guard items.count < Self.itemsMax else {
                isCut = true
                return
            }
            let isContainer = item.string(.valueType) == "CONTAINER"
            items.append(
                Item(
                    depth: depth, name: Self.meaning(item, .conceptNameCodeSequence) ?? "",
                    value: isContainer ? "" : Self.value(item), isContainer: isContainer))
            add(item.items(.contentSequence), depth: depth + 1)
        }
    }

    /// What an item says, by its value type. PS3.3 §C.17.3.2.1.
    private static func value(_ item: DataSet) -> String {
        switch item.string(.valueType) {
        case "TEXT": return item.strings(.textValue).joined(separator: "\\")
        case "CODE": return meaning(item, .conceptCodeSequence) ?? ""
        case "NUM":
            guard let measured = item.item(.measuredValueSequence) else {
                return meaning(item, .numericValueQualifierCodeSequence) ?? "no value"
            }
            let number =
                measured.string(.numericValue) ?? measured.double(.floatingPointValue).map { "\($0)" } ?? ""
            let unit = measured.item(.measurementUnitsCodeSequence)?.string(.codeValue) ?? ""
            return unit.isEmpty || unit == "1" ? number : "\(number) \(unit)"
        case "DATETIME": return item.string(.dateTime) ?? ""
        case "DATE": return item.string(.date) ?? ""
        case "TIME": return item.string(.time) ?? ""
        case "PNAME": return item.personName(.personName).map(text) ?? ""
        case "UIDREF": return item.string(.uidValue) ?? ""
        case "IMAGE", "COMPOSITE", "WAVEFORM":
            let referenced = item.item(.referencedSOPSequence)
            let name = referenced?.string(.referencedSOPClassUID).flatMap { UIDRegistry.name($0) }
            return [name, referenced?.string(.referencedSOPInstanceUID)].compactMap { $0 }.joined(separator: " ")
        case "SCOORD", "SCOORD3D": return item.string(.graphicType) ?? ""
        case "TCOORD": return item.string(.temporalRangeType) ?? ""
        case let type?: return type
        case nil:
            let place = item.ints(.referencedContentItemIdentifier).map { "\($0)" }.joined(separator: ".")
            return place.isEmpty ? "" : "see item \(place)"
        }
    }

    /// The meaning of the first code of a sequence, its value where there is none.
    private static func meaning(_ dataSet: DataSet, _ sequence: Tag) -> String? {
        let code = dataSet.item(sequence)
        return code?.string(.codeMeaning) ?? code?.string(.codeValue)
    }

    /// A name as it is read: its first group that has text, components parted by spaces.
    static func text(_ name: PersonName) -> String {
        let group = name.description.split(separator: "=").first { !$0.allSatisfy { $0 == "^" } } ?? ""
        return group.split(separator: "^").joined(separator: " ")
    }
}

extension ReportDocument {
    /// As plain text, items set in by two spaces a level.
    package var plainText: String {
        var text = title + "\n\n"
        for (name, value) in facts { text += "\(name): \(Self.line(value))\n" }
        text += "\n"
        for item in items {
            let indent = String(repeating: "  ", count: item.depth)
            let value = Self.lines(item.value).joined(separator: "\n\(indent)  ")
            text += indent + Self.line(item.name)
            text += item.name.isEmpty || value.isEmpty ? "\(value)\n" : ": \(value)\n"
        }
        return isCut ? text + "\nThis report has more items than are shown.\n" : text
    }

    private static func line(_ text: String) -> String { lines(text).joined(separator: " ") }

    /// The lines of a text, whatever ends them. PS3.5 §6.1.3.
    private static func lines(_ text: String) -> [Substring] {
        text.split(omittingEmptySubsequences: false) { $0.isNewline }
    }

    /// As a page of HTML without script or style; everything that comes of the report is escaped.
    package var html: String {
        var page = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>"
        page += Self.escaped(title) + "</title></head><body>\n<h1>" + Self.escaped(title) + "</h1>\n<dl>\n"
        for (name, value) in facts {
            page += "<dt>\(Self.escaped(name))</dt><dd>\(Self.escaped(value))</dd>\n"
        }
        page += "</dl>\n"
        var depth = -1
        for item in items {
            // At most one level down at a time; up by as many as there are.
            if item.depth > depth {
                page += "<ul>\n"
            } else {
                page += "</li>\n"
                for _ in 0..<depth - item.depth { page += "</ul></li>\n" }
            }
            depth = item.depth
            page += "<li>"
            let name = Self.escaped(item.name)
            let value = Self.escaped(item.value).split(separator: "\n", omittingEmptySubsequences: false)
                .joined(separator: "<br>")
            if item.isContainer {
                page += "<strong>\(name)</strong>"
            } else {
                page += name.isEmpty ? value : "<em>\(name)</em>: \(value)"
            }
        }
        if depth >= 0 {
            page += "</li>\n"
            for _ in 0..<depth { page += "</ul></li>\n" }
            page += "</ul>\n"
        }
        if isCut { page += "<p>This report has more items than are shown.</p>\n" }
        return page + "</body></html>\n"
    }

    /// Text for elements and quoted values; line ends become one kind, what HTML may not hold U+FFFD.
    static func escaped(_ text: String) -> String {
        var out = ""
        var before: Unicode.Scalar = "\0"
        for scalar in text.unicodeScalars {
            defer { before = scalar }
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            case "\r": out += "\n"
            case "\n": if before != "\r" { out += "\n" }
            case "\t": out += "\t"
            case "\0"..<" ", "\u{7F}"..."\u{9F}": out += "\u{FFFD}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}

extension ReportDocument {
    /// Whether a data set is a report.
    package static func isReport(_ dataSet: DataSet) -> Bool {
        dataSet.string(.valueType) == "CONTAINER" && dataSet.contains(.contentSequence)
    }
}

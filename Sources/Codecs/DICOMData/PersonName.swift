/// One value of VR PN: up to three groups of the same name in different scripts. PS3.5 §6.2.1.
package struct PersonName: Sendable, Hashable, CustomStringConvertible {
    /// The groups as they stand in the value, components parted by `^`; empty when absent.
    package var alphabetic: String
    package var ideographic: String
    package var phonetic: String

    package init(alphabetic: String = "", ideographic: String = "", phonetic: String = "") {
        self.alphabetic = alphabetic
        self.ideographic = ideographic
        self.phonetic = phonetic
    }

    /// One name of components; trailing empty ones are dropped.
    package init(family: String, given: String = "", middle: String = "", prefix: String = "", suffix: String = "") {
        self.init(alphabetic: Self.joined([family, given, middle, prefix, suffix], "^"))
    }

    /// Reads the groups of a value, parted by `=`. A fourth and later group joins the third, so that nothing is lost.
    package init(text: String) {
        let groups = text.split(separator: "=", maxSplits: 2, omittingEmptySubsequences: false).map(Self.trimmed)
        self.init(
            alphabetic: groups.first ?? "", ideographic: groups.count > 1 ? groups[1] : "",
            phonetic: groups.count > 2 ? groups[2] : "")
    }

    /// The components of one group, in the standard's order.
    package struct Components: Sendable, Hashable {
        package let family: String
        package let given: String
        package let middle: String
        package let prefix: String
        package let suffix: String

        init(_ group: String) {
            let parts = group.split(separator: "^", maxSplits: 4, omittingEmptySubsequences: false).map(
                PersonName.trimmed)
            func part(_ index: Int) -> String { index < parts.count ? parts[index] : "" }
            (family, given, middle, prefix, suffix) = (part(0), part(1), part(2), part(3), part(4))
        }
    }

    package var alphabeticComponents: Components { Components(alphabetic) }
    package var ideographicComponents: Components { Components(ideographic) }
    package var phoneticComponents: Components { Components(phonetic) }

    package var isEmpty: Bool { alphabetic.isEmpty && ideographic.isEmpty && phonetic.isEmpty }

    /// The value as written: groups parted by `=`, trailing empty ones dropped.
    package var description: String { Self.joined([alphabetic, ideographic, phonetic], "=") }

    private static func joined(_ parts: [String], _ separator: String) -> String {
        let last = parts.lastIndex { !$0.isEmpty }
        return last.map { parts[...$0].joined(separator: separator) } ?? ""
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        guard text.first == " " || text.last == " " else { return String(text) }
        return String(decoding: trimmedSpaces(Array(text.utf8)[...], leading: true), as: UTF8.self)
    }
}

/// Without trailing spaces and NULs, and without leading spaces when asked.
func trimmedSpaces(_ bytes: ArraySlice<UInt8>, leading: Bool) -> ArraySlice<UInt8> {
    var bytes = bytes
    while let last = bytes.last, last == 0x20 || last == 0 { bytes.removeLast() }
    if leading { while bytes.first == 0x20 { bytes.removeFirst() } }
    return bytes
}

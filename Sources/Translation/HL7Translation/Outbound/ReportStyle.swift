/// How a destination wants its reports.
package struct ReportStyle: Sendable, Hashable {
    package enum Content: String, Sendable, Hashable, CaseIterable {
        /// The words, as TX or FT.
        case text
        /// Each finding as an OBX of its own.
        case observations
        /// PDF and other forms, as ED in base 64.
        case documents
        /// Where a viewer shows the study.
        case link
    }

    package var contents: Set<Content> = [.text, .observations, .documents]
    /// FT, a section in one OBX; TX, a line in each.
    package var isFormatted = true
    /// The viewer's address, `{study}` for the Study Instance UID; nil for none.
    package var viewer: String?
    /// The link as TX; RP otherwise.
    package var isLinkText = false

    package init() {}

    /// The address of a study; nil without a viewer.
    func link(of studyInstanceUID: String?) -> String? {
        guard let viewer, let studyInstanceUID else { return nil }
        let parts = viewer.split(separator: "{study}", omittingEmptySubsequences: false)
        return parts.joined(separator: studyInstanceUID)
    }
}

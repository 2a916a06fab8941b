import DICOMData
import Workflow

/// An item of the Code Sequence Macro as a code. PS3.3 §8.
enum CodeItem {
    /// nil without a code, and with one that cannot be kept: no image is kept out for it. A coding scheme is known by its designator in the one table of code systems, else by its UID,
    /// else it stands for itself; a private one (`99…`) without a UID is of no system. Older schemes, such as SRT, whose
    /// codes are not those of the scheme that came after, are never taken for it. PS3.16 §8.
    static func coding(_ item: DataSet) -> CodedConcept.Coding? {
        let display = item.string(.codeMeaning).map(TextRule.mended).flatMap { $0.isEmpty ? nil : $0 }
        if let urn = item.string(Tag(0x0008, 0x0120)), !urn.isEmpty, TextRule.reason(against: urn) == nil {
            return CodedConcept.Coding(system: "urn:ietf:rfc:3986", code: urn, display: display)
        }
        guard let code = item.string(.codeValue) ?? item.string(Tag(0x0008, 0x0119)), !code.isEmpty,
            TextRule.reason(against: code) == nil
        else { return nil }
        let designator = TextRule.mended(item.string(.codingSchemeDesignator) ?? "")
        let uid = item.string(Tag(0x0008, 0x010C)).flatMap { UID.isValid($0) ? "urn:oid:" + $0 : nil }
        var system = CodeSystem.uri(ofDesignator: designator) ?? uid
        if system == nil, !designator.isEmpty, !designator.hasPrefix("99") {
            system = CodeSystem.uri(unknown: designator)
        }
        if let named = system, TextRule.reason(against: named) != nil { system = nil }
        return CodedConcept.Coding(system: system, code: code, display: display)
    }
}

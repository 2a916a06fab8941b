import FHIRModel
import Testing

@testable import FHIRResources

/// Addresses of attachments in the files of an export. FHIR Bulk Data Access 2.0 §Attachments.
@Suite("Attachments of exported resources")
struct AttachmentLinksTests {
    private static let base = "https://hilum.example/fhir"

    /// Nil where nothing is made absolute.
    private static func absolute(_ json: String, _ type: String = "DocumentReference") -> String? {
        AttachmentLinks(baseURL: base, type: type).flatMap { links in
            Array(json.utf8).withUnsafeBytes { links.absolute($0) }
        }.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("Bulk Data 2.0 Attachments: a Binary of this server, of a version too, has an absolute address")
    func absolute() {
        let json = #"[{"a":{"url":"Binary/b1","title":"x"}},{"a":{"url":"Binary/b.2/_history/3"}}]"#
        #expect(Self.absolute(json) == json.replacing("Binary/", with: Self.base + "/Binary/"))
    }

    @Test("RFC 8259 §2, §7: as their author wrote them, with white space and escapes")
    func spelling() {
        #expect(Self.absolute("{\"url\" :\n \"Binary/b\"}") == "{\"url\" :\n \"\(Self.base)/Binary/b\"}")
        #expect(Self.absolute(#"{"url":"Bin\u0061ry\/b"}"#) == #"{"url":"https://hilum.example/fhir/Binary/b"}"#)
    }

    @Test("Absolute ones, other types, other members and text that quotes one are left; so is what has no attachments")
    func others() {
        for json in [
            #"{"url":"https://hilum.example/fhir/Binary/b"}"#, #"{"url":"urn:uuid:x"}"#, #"{"url":"Patient/p"}"#,
            #"{"url":"Binary/"}"#, #"{"url":"Binary/b/c"}"#, #"{"url":"Binary/b?x"}"#, #"{"xurl":"Binary/b"}"#,
            #"{"url":["Binary/b"]}"#, #"{"reference":"Binary/b"}"#, #"{"text":"{\"url\":\"Binary/b\"}"}"#,
            #"{"url":"Binary/b"#, #"{"url":"Binary/b\"#, #"{"url":"#, "",
            #"{"url":"Binary/\#(String(repeating: "b", count: 65))"}"#,
        ] { #expect(Self.absolute(json) == nil, "\(json)") }
        let link = #"{"url":"Binary/b"}"#
        for type in ["DocumentReference", "DiagnosticReport", "Media", "Patient", "QuestionnaireResponse"] {
            #expect(Self.absolute(link, type) != nil, "\(type)")
        }
        // What a Bundle asks for stays what it is.
        for type in ["Bundle", "Observation", "Binary"] { #expect(Self.absolute(link, type) == nil, "\(type)") }
        #expect(AttachmentLinks(baseURL: "", type: "Media") == nil)
    }
}

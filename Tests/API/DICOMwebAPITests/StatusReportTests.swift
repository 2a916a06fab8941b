import HTTPSupport
import HTTPTypes
import PixelCodecs
import Testing

@testable import DICOMwebAPI

/// PS3.18 §8.5, Table 8.5-1.
@Suite("Status reports")
struct StatusReportTests {
    private struct Failure: PixelCodingFailure { let isTemporary: Bool }

    @Test(
        "§8.5: what no codec makes is 406, a frame beyond a limit 413, one that is damaged 409, and each says what it is",
        arguments: [
            (PixelCodecError.unsupported("JPEG XL"), HTTPFailure.Code.notAcceptable, "JPEG XL"),
            (.tooLarge(limit: "samplesMax", value: 7), .tooLarge, "samplesMax"),
            (.malformed("no scan"), .conflict, "no scan"),
            (.mismatch(attribute: "Rows", image: 4, codestream: 5), .conflict, "Rows is 4"),
        ])
    func frames(error: PixelCodecError, code: HTTPFailure.Code, word: String) throws {
        let failure = try #require(StatusReport().failure(for: error))
        #expect(failure.code == code)
        #expect(failure.message.contains(word))
    }

    @Test("§8.5: frames that were not tried are 503 with Retry-After, those that ended their process a bland 500")
    func processes() throws {
        let busy = try #require(StatusReport().failure(for: Failure(isTemporary: true)))
        #expect(busy.code == .unavailable)
        #expect(busy.headers[.retryAfter] == "2")
        #expect(StatusReport().failure(for: Failure(isTemporary: false)) == nil)
    }
}

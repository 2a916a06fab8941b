import HTTPTypes
import NIOCore
import TestSupport
import Testing

@testable import HTTPSupport

/// Reliability rule R25: parsers never trap, whatever the bytes.
@Suite(.takingTurns) struct HostileHeaderTests {
    static let seeds = [
        "multipart/related; type=\"application/dicom\"; boundary=\"a b\\\"c\"; transfer-syntax=*;q=0.5, */*;q=0.1",
        "W/\"1\", \"2\", 3, *", "respond-async, return=minimal; x=\"y\", handling=lenient", "a=1&b=%41+%2A&&c=%C3%A4;d",
        "Sun, 06 Nov 1994 08:49:37 GMT", "/fhir/Patient/%41/_history/1?a=b",
    ]

    @Test("Property: mutated headers, queries, dates, paths and multipart bodies are read or refused, never trapped on")
    func mutations() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        let table = try RouteTableTests.table(RouteTableTests.fhirLike)
        for round in 0..<4000 {
            var bytes = Array(Self.seeds[round % Self.seeds.count].utf8)
            for _ in 0..<Int(random.next() % 6 + 1) where !bytes.isEmpty {
                let place = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 4 {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(Array("\"\\;,=%&\r\n*/ ".utf8)[Int(random.next() % 12)], at: place)
                default: bytes.removeSubrange(place...)
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            let type = MediaType(text)
            if let type { #expect(MediaType(type.description) == type, "seed \(seed) round \(round)") }
            let quality = AcceptHeader(text).quality(of: MediaType(type: "multipart", subtype: "related"))
            #expect((0...1000).contains(quality), "seed \(seed) round \(round)")
            _ = Preferences([text])
            _ = try? QueryParameters(bytes: bytes, countMax: 100)
            if let seconds = HTTPDate.seconds(text) {
                #expect(HTTPDate.seconds(HTTPDate.text(secondsSince1970: seconds)) == seconds)
            }
            _ = table.match(method: .get, path: text)
            _ = BearerAuthenticator.token(text)
            _ = MultipartHeaders(block: bytes)
            _ = try? MultipartScannerTests.parts(Array("--b\r\n".utf8) + bytes + Array("\r\n--b--".utf8))
        }
    }
}

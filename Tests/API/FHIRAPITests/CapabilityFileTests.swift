import Foundation
import HTTPTypes
import Testing
import Workflow

@testable import FHIRAPI

/// `conformance/fhir/CapabilityStatement.json` and what the server answers.
@Suite struct CapabilityFileTests {
    private static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../conformance/fhir/CapabilityStatement.json").standardizedFileURL

    /// With `HILUM_WRITE_CONFORMANCE=1` in its environment the test writes the file anew.
    @Test("The published CapabilityStatement is the served one, but for its address, date and version")
    func published() async throws {
        try await FHIRServer.with { (server) async throws in
            let date = UTCInstant(microseconds: 1_767_225_600_000_000)
            let service = FHIRService(
                store: server.store, audit: server.store, exports: server.exports,
                baseURL: "https://hilum.example/fhir",
                oauth: OAuthEndpoints(
                    authorize: "https://hilum.example/auth/authorize", token: "https://hilum.example/oauth/token",
                    revoke: "https://hilum.example/oauth/revoke",
                    introspect: "https://hilum.example/oauth/introspect"),
                softwareVersion: "unreleased", now: { date })
            let answer = await FHIRServer(
                service: service, store: server.store, blobs: server.blobs, exports: server.exports
            ).send(.get, "metadata", "_pretty=true")
            #expect(answer.status == 200)
            guard case .bytes(let bytes) = answer.body else {
                Issue.record("no body")
                return
            }
            let served = String(decoding: bytes, as: UTF8.self) + "\n"
            if ProcessInfo.processInfo.environment["HILUM_WRITE_CONFORMANCE"] == "1" {
                try served.write(to: Self.file, atomically: true, encoding: .utf8)
            }
            #expect(try String(contentsOf: Self.file, encoding: .utf8) == served)
        }
    }
}

import Foundation
import TestSupport

/// A DICOMweb server with a token endpoint, as tests want it.
enum StoreServer {
    typealias Call = HTTPSEndpoint.Call
    typealias Answer = HTTPSEndpoint.Answer

    /// - Parameters:
    ///   - answer: to each call, by its number from 0.
    ///   - test: is given the file of the authority that the server is trusted by.
    static func run(
        _ answer: @escaping @Sendable (Call, Int) -> Answer,
        _ test: (_ server: HTTPSEndpoint, _ port: Int, _ authority: String) async throws -> Void
    ) async throws {
        let file = NSTemporaryDirectory() + "hilum-stow-\(UUID().uuidString).pem"
        try TestCertificates.certificate.write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        try await HTTPSEndpoint.with(answer) { server in try await test(server, server.port, file) }
    }
}

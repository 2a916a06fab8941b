import Admission
import Foundation
import NIOSSL
import TestSupport
import Testing

@testable import hilum

/// Certificates that are replaced while a server runs.
@Suite(.takingTurns) struct DoorCertificatesTests {
    /// A folder with files of TLS, for the time of one test.
    private struct Files {
        let folder: ServerFolder
        let now = Int64(Date().timeIntervalSince1970)

        init() throws {
            folder = ServerFolder(
                FileManager.default.temporaryDirectory.path + "/hilum-tls-" + UUID().uuidString.prefix(8).lowercased())
            for path in [folder.path, folder.tlsFolder] {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            }
            try write(made())
        }

        func made(now: Date = Date()) throws -> LocalAuthority.Files {
            try LocalAuthority.make(hostNames: ["localhost"], now: now)
        }

        func write(_ files: LocalAuthority.Files) throws {
            try files.authorityCertificate.write(
                toFile: folder.authorityCertificateFile, atomically: true, encoding: .utf8)
            try write(certificate: files.serverCertificate)
            try write(key: files.serverKey)
        }
        func write(certificate: String) throws {
            try certificate.write(toFile: folder.serverCertificateFile, atomically: true, encoding: .utf8)
        }
        func write(key: String) throws {
            try? FileManager.default.removeItem(atPath: folder.serverKeyFile)
            try ServerFolder.writeSecret(Array(key.utf8), to: folder.serverKeyFile)
        }
        func certificates() throws -> DoorCertificates {
            try DoorCertificates(DoorConfiguration(.mllp), folder) { [now] in now }
        }
        func remove() { try? FileManager.default.removeItem(atPath: folder.path) }
    }

    private static func isRefused(_ outcome: DoorCertificates.Outcome) -> Bool {
        if case .refused = outcome { true } else { false }
    }

    @Test("New files are taken once; one after the other, the pair is taken when it fits")
    func replaced() throws {
        let files = try Files()
        defer { files.remove() }
        let certificates = try files.certificates()
        #expect(certificates.daysLeft > 30)
        #expect(certificates.refresh() == .unchanged)
        let next = try files.made()
        try files.write(certificate: next.serverCertificate)
        #expect(Self.isRefused(certificates.refresh()))
        #expect(certificates.isRefused)
        #expect(certificates.refresh() == .unchanged)
        try files.write(key: next.serverKey)
        #expect(certificates.refresh() == .replaced)
        #expect(!certificates.isRefused)
        #expect(certificates.refresh() == .unchanged)
    }

    @Test("What cannot be used leaves the old one, says so once, and is no start")
    func refused() throws {
        let files = try Files()
        defer { files.remove() }
        let first = try files.made()
        try files.write(first)
        let certificates = try files.certificates()
        let days = certificates.daysLeft
        let ended = try files.made(now: Date(timeIntervalSinceNow: -20 * 365 * 86_400))
        for spoil in [
            { try files.write(certificate: "no certificate") }, { try files.write(certificate: "") },
            { try files.write(key: "no key") }, { try files.write(ended) },
            { try FileManager.default.removeItem(atPath: files.folder.serverCertificateFile) },
            {
                try FileManager.default.setAttributes(
                    [.posixPermissions: 0o644], ofItemAtPath: files.folder.serverKeyFile)
            },
            { try "x".write(toFile: files.folder.authorityCertificateFile, atomically: true, encoding: .utf8) },
        ] as [() throws -> Void] {
            try spoil()
            #expect(Self.isRefused(certificates.refresh()))
            #expect(certificates.refresh() == .unchanged)
            #expect(certificates.isRefused)
            #expect(certificates.daysLeft == days)
            try files.write(first)
            #expect(certificates.refresh() == .replaced)
            #expect(!certificates.isRefused)
        }
        try files.write(key: "no key")
        #expect(throws: ConfigurationError.self) { try files.certificates() }
    }

    @Test("Days are counted down to the end of the certificate, and on from there")
    func days() throws {
        let files = try Files()
        defer { files.remove() }
        try files.write(try files.made(now: Date(timeIntervalSinceNow: -20 * 365 * 86_400)))
        #expect(try files.certificates().daysLeft < 0)
    }

    @Test("Files to call peers by that no door has are looked at too, and again until they can be used")
    func callingFiles() throws {
        let files = try Files()
        defer { files.remove() }
        let calling = try CallingTLS(ServerConfiguration(), files.folder)
        let verifying = calling.verifying
        #expect(calling.look() == .unchanged)
        #expect(calling.verifying === verifying)
        // One after the other: the authority is not whole yet.
        let next = try files.made()
        try files.write(next)
        try "x".write(toFile: files.folder.authorityCertificateFile, atomically: true, encoding: .utf8)
        #expect(Self.isRefused(calling.look()))
        #expect(calling.look() == .unchanged)
        #expect(calling.verifying === verifying)
        try files.write(next)
        #expect(calling.look() == .replaced)
        #expect(calling.verifying !== verifying)
        #expect(calling.look() == .unchanged)
    }

    @Test(
        "Peers are called with the new certificate too; what cannot be used leaves the old, and a folder without one calls in clear text"
    )
    func calling() throws {
        let files = try Files()
        defer { files.remove() }
        let calling = try CallingTLS(ServerConfiguration(), files.folder)
        let (verifying, comparing) = (calling.verifying, calling.comparing)
        #expect(verifying != nil && comparing != nil)
        try files.write(key: "no key")
        #expect(throws: ConfigurationError.self) { try calling.refresh() }
        #expect(calling.verifying === verifying)
        try files.write(try files.made())
        try calling.refresh()
        #expect(calling.verifying != nil && calling.verifying !== verifying && calling.comparing !== comparing)
        try FileManager.default.removeItem(atPath: files.folder.serverCertificateFile)
        #expect(throws: ConfigurationError.self) { try calling.refresh() }
        #expect(calling.verifying != nil)
        let none = try CallingTLS(ServerConfiguration(), files.folder)
        #expect(none.verifying == nil && none.comparing == nil)
    }
}

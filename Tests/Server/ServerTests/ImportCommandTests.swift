import Access
import Foundation
import TestSupport
import Testing
import Workflow

@testable import hilum

/// What `hilum import` and `imports` of hilum.yaml are given.
@Suite(.takingTurns) struct ImportCommandTests {
    private static func withFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
        let path =
            FileManager.default.temporaryDirectory.path + "/hilum-import-" + UUID().uuidString.prefix(8).lowercased()
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await body(path)
    }

    private static func configuration(_ text: String) async throws -> ServerConfiguration {
        try await withFolder { path in
            let folder = ServerFolder(path)
            try text.write(toFile: folder.configurationFile, atomically: true, encoding: .utf8)
            return try ServerConfiguration.load(from: folder)
        }
    }

    @Test("imports: a source has a base and whom it knows this server as; what is missing or no URL is named")
    func sources() async throws {
        let good = "url: 'https://e.example/token', client: h, scope: 'system/*.rs', key: keys/i.pem"
        let read = try await Self.configuration("imports: { sources: [{ base: 'https://e.example/fhir', \(good) }] }")
        #expect(read.imports.sources.map(\.base) == ["https://e.example/fhir"])
        #expect(read.imports.sources.map(\.token.client) == ["h"])
        #expect(NamedFiles(read, []).keys.contains("keys/i.pem"))
        for (bad, words) in [
            ("{ \(good) }", "base: is needed"),
            ("{ base: 'http://e.example/', \(good) }", "base: only https is dialled"),
            ("{ base: 'https://e.example/fhir' }", "url: is needed"),
            ("{ base: 'https://e.example/fhir', other: 1, \(good) }", "unknown key `other`"),
        ] {
            do {
                _ = try await Self.configuration("imports: { sources: [\(bad)] }")
                Issue.record("taken: \(bad)")
            } catch { #expect("\(error)".contains(words), "\(error)") }
        }
    }

    @Test("A file's type is told by a part of its name, else by the command, else by its first line")
    func types() async throws {
        try await Self.withFolder { path in
            for name in ["Patient.ndjson", "1.Observation.000.ndjson.gz", "notes.txt", "other.ndjson"] {
                let text = name == "other.ndjson" ? "\n{\"resourceType\":\"Basic\",\"id\":\"1\"}\n" : ""
                try text.write(toFile: path + "/" + name, atomically: true, encoding: .utf8)
            }
            let found = try ImportFiles(type: nil).files([path, "https://e.example/x/Device-2.ndjson?sig=Patient"])
            #expect(found.map(\.type) == ["Observation", "Patient", "Basic", "Device"])
            #expect(found.first?.url == LocalDownloads.scheme + path + "/1.Observation.000.ndjson.gz")
            #expect(try ImportFiles(type: "Task").files([path + "/notes.txt"]).map(\.type) == ["Task"])
            for bad in [path + "/notes.txt", path + "/missing", "https://e.example/x", "http://e.example/Patient"] {
                #expect(throws: (any Error).self, "\(bad)") { try ImportFiles(type: nil).files([bad]) }
            }
            #expect(ImportFiles.byteCount(found) == 0)
        }
    }

    private struct Nowhere: OutboundDownloads {
        func download(
            _ url: String, headers: [OutboundHeader], _ take: (DownloadHead, any DownloadContent) async throws -> Void
        ) async throws { throw OutboundRefusal.addressNotAllowed }
    }

    @Test("A file of this machine is read from a place in it, is another once it was written anew, and may be missing")
    func local() async throws {
        try await Self.withFolder { path in
            let file = path + "/a.ndjson"
            try "0123456789".write(toFile: file, atomically: true, encoding: .utf8)
            let downloads = LocalDownloads(others: Nowhere())
            func read(_ url: String, from first: Int? = nil) async throws -> (DownloadHead?, String) {
                var (seen, text) = (DownloadHead?.none, "")
                let headers = first.map { [OutboundHeader(trusted: "Range", "bytes=\($0)-")] } ?? []
                try await downloads.download(url, headers: headers) { head, content in
                    seen = head
                    while let piece = try await content.next() { text += String(decoding: piece, as: UTF8.self) }
                }
                return (seen, text)
            }
            let (whole, text) = try await read("file://" + file)
            #expect(whole?.status == 200 && whole?.length == 10 && text == "0123456789")
            let (part, rest) = try await read("file://" + file, from: 4)
            #expect(part?.status == 206 && part?.contentRange?.first == 4 && part?.contentRange?.whole == 10)
            #expect(rest == "456789" && part?["etag"] == whole?["etag"])
            #expect(try await read("file://" + file, from: 11).0?.status == 416)
            #expect(try await read("file://" + path + "/missing").0?.status == 404)
            try "0123456789+".write(toFile: file, atomically: true, encoding: .utf8)
            #expect(try await read("file://" + file).0?["etag"] != whole?["etag"])
            await #expect(throws: OutboundRefusal.self) { try await read("https://e.example/") }
        }
    }
}

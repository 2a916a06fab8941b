import Access
import FHIRModel
import FHIRResources
import Foundation
import HTTPTypes
import SQLStore
import Testing

@testable import FHIRAPI

/// Every transaction Bundle of a folder, such as a set that Synthea made: `HILUM_BUNDLES=/path swift test --filter
/// BundleFolderTests`. Read in the order of their names.
@Suite("Bundles of a folder")
struct BundleFolderTests {
    private static var folder: String? { ProcessInfo.processInfo.environment["HILUM_BUNDLES"] }

    @Test(
        "Each loads as a transaction, and each resource reads back as it was sent, but for its links",
        .enabled(if: folder != nil))
    func load() async throws {
        let folder = try #require(Self.folder)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".json") }
            .sorted()
        #expect(!files.isEmpty)
        try await FHIRServer.with { (server) async throws in
            var count = 0
            let started = ContinuousClock.now
            var spent = Duration.zero
            for file in files {
                let bytes = [UInt8](try #require(FileManager.default.contents(atPath: folder + "/" + file)))
                let entries = JSONValue(try JSONDocument(parsing: bytes))["entry"]?.array ?? []
                let began = ContinuousClock.now
                let answer = await server.send(.post, "", body: String(decoding: bytes, as: UTF8.self))
                spent += ContinuousClock.now - began
                #expect(answer.status == 200, "\(file): \(String(decoding: answer.bytes.prefix(600), as: UTF8.self))")
                guard answer.status == 200 else { continue }
                count += entries.count
                print("\(file): \(entries.count) resources, \(bytes.count) bytes, \(ContinuousClock.now - began)")
                let locations = (answer.json["entry"]?.array ?? []).map(TransactionTests.location)
                var links: [String: String] = [:]
                for (index, entry) in entries.enumerated() {
                    if let url = entry["fullUrl"]?.string { links[url] = locations[index] }
                }
                for (index, entry) in entries.enumerated() {
                    let name = locations[index]
                    let (type, id) = (name.split(separator: "/").first ?? "", name.split(separator: "/").last ?? "")
                    let stored = try #require(
                        try await server.store.read(String(type), String(id), access: .server(requestID: "t")))
                    let resource = try Resource(parsing: try #require(entry["resource"]).compact)
                    let linked = try resource.replacingLinks { text, _ in
                        text.contains("?") ? "*" : links[text]
                    }
                    let read = try Resource(parsing: stored.bytes, limits: .stored)
                        .replacingLinks { text, kind in
                            kind == .reference && resource.mentions(conditionFor: text) ? "*" : nil
                        }
                    // What the workflow adds to a record is no loss.
                    let sent = Set(linked.root.members.map(\.name) + ["active"])
                    let kept = read.root.members.filter { sent.contains($0.name) }.map {
                        ($0.name, JSONValue($0.value))
                    }
                    var wanted = JSONValue(linked.document)
                    if wanted["active"] == nil, type == "Patient" { wanted["active"] = true }
                    let same = try Resource(wanted).hasSameContent(as: Resource(.object(JSONObject(kept))))
                    let others = kept.filter { wanted[$0.0]?.isEquivalent(to: $0.1) != true }.map(\.0)
                    #expect(same, "\(file) \(name): \(others)")
                }
            }
            let seconds = Double(spent.components.seconds) + Double(spent.components.attoseconds) / 1e18
            print(
                "\(count) resources in \(seconds) s: \(Int(Double(count) / seconds)) a second; \(started.duration(to: .now)) in all"
            )
        }
    }
}

extension JSONValue {
    fileprivate var compact: [UInt8] { JSONWriter.compact(self) }
}

extension Resource {
    /// Whether it has a conditional reference to the type of a literal one.
    fileprivate func mentions(conditionFor text: String) -> Bool {
        String(decoding: bytes, as: UTF8.self).contains("\"\(text.split(separator: "/").first ?? "")?")
    }
}

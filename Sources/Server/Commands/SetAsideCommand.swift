import ArgumentParser
import BlobStore
import Foundation
import Workflow

/// `hilum set-aside DIR`: the objects that no row names and that are kept aside.
struct SetAsideCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set-aside",
        abstract: "List the objects that no row names and that were set aside.",
        discussion: "They are removed store.set-aside-days after their day; `hilum adopt` registers them again.")

    @Argument(help: "The server folder.") var folder: String
    @Flag(help: "Print the list as JSON.") var json = false

    struct Line: Codable {
        var blob: String
        var day: String
        var bytes: Int64
        var reason: String
    }

    func run() async throws {
        let server = ServerFolder(folder)
        let configuration = try ServerConfiguration.load(from: server)
        // None is opened, so that no key is needed.
        var settings = BlobStoreConfiguration(folder: server.resolve(configuration.store.blobs), encryption: .none())
        settings.isReadOnly = true
        let blobs = try await BlobStore(settings)
        let found: [SetAsideBlob]
        do { found = try await blobs.setAsideBlobs() } catch {
            await blobs.close()
            throw error
        }
        await blobs.close()
        let lines = found.map {
            Line(blob: $0.blob.id.value, day: $0.blob.setAsideOn ?? "", bytes: $0.bytes, reason: $0.reason)
        }
        if json { return try JSONResult.print(lines) }
        for line in lines { print("\(line.day)\t\(line.blob)\t\(line.bytes)\t\(line.reason)") }
        print("\(lines.count) objects, \(lines.reduce(0) { $0 + $1.bytes } >> 20) MiB")
    }
}

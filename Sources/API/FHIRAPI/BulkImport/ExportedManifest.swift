import Access
import FHIRModel
import FHIRResources

/// The manifest of another server's export, one page of it. FHIR Bulk Data Access 2.0 §Response - Complete Status.
struct ExportedManifest: Sendable {
    let files: [(type: String, url: String)]
    /// The next page. Bulk Data 3.0 §allowPartialManifests.
    let next: String?
    /// Whether it lists resources that were deleted there, or could not be exported.
    let hasOthers: Bool

    /// Throws ``InteractionError`` for what is no manifest.
    init(_ bytes: [UInt8]) throws {
        let root: JSONValue
        do { root = JSONValue(try JSONDocument(parsing: bytes, limits: .resource)) } catch {
            throw InteractionError(.malformed, "the manifest is no JSON")
        }
        guard let output = root["output"]?.array else {
            throw InteractionError(.malformed, "the manifest of the export has no output")
        }
        files = try output.map { item in
            guard let type = item["type"]?.string, FHIRDefinitions.r4.isResourceType(type),
                let url = item["url"]?.string
            else { throw InteractionError(.malformed, "a file of the manifest has no resource type, or no url") }
            return (type, try Self.elsewhere(url, "a file of the manifest"))
        }
        next = try root["link"]?.array?.first { $0["relation"]?.string == "next" }?["url"]?.string
            .map { try Self.elsewhere($0, "the next page of the manifest") }
        hasOthers = ["deleted", "error"].contains { root[$0]?.array?.isEmpty == false }
    }

    /// A URL of https: what a command may open beside those is for whoever gives it to name, and not for a manifest.
    private static func elsewhere(_ url: String, _ what: String) throws -> String {
        do throws(OutboundRefusal) { _ = try OutboundURL(url) } catch {
            throw InteractionError(.malformed, "\(what): \(error.rawValue)")
        }
        return url
    }
}

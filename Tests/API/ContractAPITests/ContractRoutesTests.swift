import Access
import Foundation
import HTTPSupport
import HTTPTypes
import TestSupport
import Testing

@testable import ContractAPI

/// The contract as files and pages: whole, escaped, open. OpenAPI 3.1; RFC 9512 §2.1; CWE-79.
struct ContractRoutesTests {
    private static func get(_ path: String) async throws -> CollectedResponse {
        let responder = APIResponder(
            table: try RouteTable([ContractRoutes().group]),
            authenticator: BearerAuthenticator(tokens: NoTokens(), audit: NoTrail(), realm: "r"),
            newRequestID: { "r" })
        return try await responder.answer(.get, path)
    }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../openapi").standardized

    @Test("Every file of openapi/ is served, byte for byte, and has a page")
    func files() async throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
            .filter { $0.hasSuffix(".yaml") }.sorted()
        #expect(names.count >= 11)
        #expect(ContractFiles.all.map { $0.name + ".yaml" }.sorted() == names)
        #expect(ContractFiles.documents.count == names.count)
        let overview = try await Self.get("/openapi")
        #expect(overview.status == 200)
        for name in names {
            let file = try await Self.get("/openapi/" + name)
            #expect(file.status == 200 && file[.contentType] == "application/yaml", "\(name)")
            #expect(try file.body == Array(Data(contentsOf: Self.folder.appending(path: name))), "\(name)")
            #expect(overview.text.contains("href=\"/openapi/\(name)\""), "\(name)")
            let page = try await Self.get("/openapi/" + name.dropLast(5))
            #expect(page.status == 200 && page[.contentType] == "text/html; charset=utf-8", "\(name)")
            #expect(!page.text.contains("<script") && !page.text.contains("style="), "\(name)")
            #expect(page[.contentSecurityPolicy]?.contains("default-src 'none'") == true)
        }
        for path in ["/openapi/unknown", "/openapi/.yaml", "/openapi/fhir.yml", "/openapi/%2E%2E"] {
            let answer = try await Self.get(path)
            #expect([400, 404].contains(answer.status), "\(path)")
        }
    }

    @Test("Each operation stands once on the page of its document, with its path, at the anchor of its id")
    func operations() async throws {
        for document in ContractFiles.documents {
            let page = try await Self.get("/openapi/" + document.name).text
            #expect(!document.operations.isEmpty, "\(document.name)")
            for operation in document.operations {
                let parts = page.components(separatedBy: "id=\"\(operation.id)\"")
                #expect(parts.count == 2, "\(operation.id)")
                #expect(page.contains("href=\"#\(operation.id)\""), "\(operation.id)")
                #expect(!operation.summary.isEmpty && !operation.answers.isEmpty, "\(operation.id)")
                #expect(operation.answers.allSatisfy { !$0.words.isEmpty }, "\(operation.id)")
            }
        }
        let read = try #require(
            ContractFiles.documents.first { $0.name == "fhir" }?.operations.first { $0.id == "read" })
        #expect(read.method == "GET" && read.path == "/fhir/{type}/{id}" && read.needsToken)
        #expect(read.parameters.contains { $0.name == "type" && $0.place == "path" && $0.isRequired })
    }

    @Test("CWE-79: what a document says is text; references are resolved, and those in a ring end")
    func hostile() throws {
        let document = try #require(
            ContractDocument(
                name: "x",
                yaml: """
                    info: { title: "<script>1</script>", description: "a `b` <i>c" }
                    security: [{ smart: ["system/*.rs"] }]
                    paths:
                      /a:
                        parameters: [{ $ref: "#/components/parameters/Ring" }]
                        get:
                          operationId: one
                          summary: "<b>"
                          responses: { "200": { $ref: "#/components/responses/Done" }, default: { $ref: "#/nowhere" } }
                    components:
                      parameters: { Ring: { $ref: "#/components/parameters/Ring" } }
                      responses: { Done: { description: "It is </td> done" } }
                      schemas:
                        Deep: { type: array, items: { type: array, items: { $ref: "#/components/schemas/Deep" } } }
                    """))
        let operation = try #require(document.operations.first)
        #expect(operation.needsToken && operation.scopes == ["system/*.rs"])
        #expect(operation.answers.map(\.words) == ["It is </td> done", ""])
        #expect(document.shapes.map(\.words) == ["[ [ Deep ] ]"])
        let body = ContractPage(language: .english)
        let text = String(decoding: body.page(of: document).bytes, as: UTF8.self)
        #expect(!text.contains("<script") && !text.contains("<b>") && !text.contains("</td> done"))
        #expect(text.contains("a <code>b</code> &lt;i&gt;c"))
        #expect(ContractDocument(name: "x", yaml: "a: [") == nil)
        #expect(ContractDocument(name: "x", yaml: "") == nil)
    }
}

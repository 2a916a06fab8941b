import HTTPSupport
import Testing

/// `openapi/*.yaml` and the route table say the same, both ways.
@Suite struct ContractTests {
    @Test("Each document describes the routes of its group, and nothing else: method, path, operationId, token")
    func bothWays() async throws {
        try await ServedRoutes.with { groups in
            let table = try RouteTable(groups)
            for group in groups {
                let document = try OpenAPIDocument(name: group.name)
                let described = Set(document.operations.map(\.line))
                let served = Set(
                    table.operations.filter { $0.group == group.name }.map {
                        OpenAPIDocument.Operation(
                            method: $0.method, template: $0.template, operationID: $0.operationID,
                            requiresToken: $0.requiresToken
                        ).line
                    })
                #expect(served.subtracting(described).sorted() == [], "served and not in openapi/\(group.name).yaml")
                #expect(described.subtracting(served).sorted() == [], "in openapi/\(group.name).yaml and not served")
            }
        }
    }

    @Test("Each group has a document and each document a group")
    func files() async throws {
        let names = try OpenAPIDocument.names()
        try await ServedRoutes.with { groups in #expect(names == groups.map(\.name).sorted()) }
    }

    @Test("Documents are OpenAPI 3, whole in themselves, and declare the parameters of their paths")
    func wellFormed() throws {
        for name in try OpenAPIDocument.names() {
            let document = try OpenAPIDocument(name: name)
            #expect(document.version?.hasPrefix("3.") == true, "\(name)")
            #expect(document.brokenReferences == [], "\(name)")
            #expect(document.emptyMembers == [], "\(name)")
            #expect(document.parameterFindings == [], "\(name)")
            #expect(document.answerFindings == [], "\(name)")
        }
    }

    @Test("operationId is unique over all documents")
    func operationIDs() throws {
        let ids = try OpenAPIDocument.names().flatMap { try OpenAPIDocument(name: $0).operations.map(\.operationID) }
        #expect(ids.count >= 20)
        #expect(Set(ids).count == ids.count)
    }

    @Test("A document with a route too many, a lost parameter and a broken reference is caught")
    func badSample() throws {
        let document = try OpenAPIDocument(
            name: "bad",
            yaml: """
                openapi: 3.1.0
                security: [{ smart: [] }]
                paths:
                  /a/{b}:
                    get: { operationId: one, security: [], responses: { "200": { $ref: "#/components/responses/None" } } }
                """)
        #expect(document.operations.map(\.line) == ["GET /a/{b} one open"])
        #expect(document.brokenReferences == ["#/components/responses/None"])
        #expect(document.parameterFindings.count == 1)
        #expect(try OpenAPIDocument(name: "cut", yaml: "{ description: one, two., a: 1 }").emptyMembers == ["two."])
        #expect(document.answerFindings == ["get /a/{b}: no summary", "get /a/{b}: no default answer"])
    }
}

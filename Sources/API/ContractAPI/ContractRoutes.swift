import HTTPSupport
import HTTPTypes
import Hummingbird

/// The contract of all operations over HTTP: the files of `openapi/` as they are, and pages to read them by. For anybody, as
/// the CapabilityStatement is; there is nothing of a site or a patient in it.
package struct ContractRoutes: Sendable {
    static let path = "/openapi"

    /// Reads nothing: the documents are read when the first page of any is asked for, and kept; files are sent as they are.
    package init() {}

    /// The routes at and below `/openapi`: pages, and each document as a file. Errors are pages, of files too.
    package var group: RouteGroup {
        RouteGroup(
            name: "contract", prefix: Self.path, errorBody: PageErrorBody(),
            routes: [
                Route(.get, Self.path, operationID: "getContract", access: .open, deadline: .seconds(30)) { request in
                    ContractPage(language: .best(of: request.headers[.acceptLanguage])).overview(
                        ContractFiles.documents)
                },
                Route(
                    .get, Self.path + "/{document}", operationID: "getContractDocument", access: .open,
                    deadline: .seconds(30), handler: document),
            ])
    }

    @Sendable private func document(_ request: APIRequest) throws -> Response {
        let name = request.parameters["document"]
        if let file = ContractFiles.all.first(where: { $0.name + ".yaml" == name }) {
            // RFC 9512 §2.1.
            return .bytes(file.bytes, contentType: "application/yaml", headers: [.cacheControl: "no-cache"])
        }
        guard let document = ContractFiles.documents.first(where: { $0.name == name }) else {
            throw HTTPFailure(.notFound, "There is no document of this name; /openapi lists those there are")
        }
        return ContractPage(language: .best(of: request.headers[.acceptLanguage])).document(document)
    }
}

import HTTPSupport
import HTTPTypes
import Hummingbird

/// The image viewer: one page, its stylesheet and its scripts. It is a SMART application like any other and reads images
/// with the token that it gets; these routes hold nothing of a patient.
package struct ViewerRoutes: Sendable {
    /// Of the application as which the viewer signs in.
    package static let clientID = "hilum-viewer"
    /// Where the page is, and where the answer of a sign-in goes.
    package static let path = "/viewer"

    private let page: [UInt8]
    private let policy: String

    /// - Parameters:
    ///   - fhirBaseURL: as discovery tells it; the audience of the viewer's tokens.
    ///   - frameOrigins: whose pages may hold the viewer in a frame; what is no origin is left out.
    package init(fhirBaseURL: String, frameOrigins: [String] = []) {
        page = Array(
            ViewerAssets.page
                .replacing("{{fhir}}", with: HTML.text(fhirBaseURL).markup)
                .replacing("{{client}}", with: Self.clientID)
                .replacing("{{assets}}", with: Self.path + "/" + ViewerAssets.version)
                .utf8)
        let ancestors = ["'self'"] + frameOrigins.filter(CrossOriginPolicy.isOrigin)
        // Scripts of this server alone, none in the page; images also from memory, where thumbnails and downloads are.
        policy =
            "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' blob:; "
            + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors \(ancestors.joined(separator: " "))"
    }

    /// Of the worker's script, whose own policy a worker has, not the page's: it imports scripts and asks for nothing else.
    /// CSP Level 3 §4.2.
    private static let workerPolicy = "default-src 'none'; script-src 'self'"

    /// The routes below `/viewer`. Errors are pages.
    package var group: RouteGroup {
        RouteGroup(
            name: "viewer", prefix: Self.path, errorBody: PageErrorBody(),
            routes: [
                Route(.get, Self.path, operationID: "getViewer", access: .open, isBrief: true) { _ in
                    .bytes(
                        page, contentType: "text/html; charset=utf-8",
                        headers: [.contentSecurityPolicy: policy, .cacheControl: "no-store"])
                },
                Route(
                    .get, Self.path + "/{version}/{file}", operationID: "getViewerFile", access: .open, isBrief: true
                ) { request in
                    // Another version's page asks for files of another program: it has to be loaded again.
                    guard request.parameters["version"] == ViewerAssets.version,
                        let file = ViewerAssets.files[request.parameters["file"]]
                    else { throw HTTPFailure(.notFound, "There is nothing at this path; load the viewer again") }
                    var headers: HTTPFields = [.cacheControl: "public, max-age=31536000, immutable"]
                    if request.parameters["file"] == ViewerAssets.worker {
                        headers[.contentSecurityPolicy] = Self.workerPolicy
                    }
                    return .bytes(file.bytes, contentType: file.contentType, headers: headers)
                },
            ])
    }
}

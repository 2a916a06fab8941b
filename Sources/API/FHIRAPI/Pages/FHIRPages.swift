import Access
import HTTPSupport
import HTTPTypes
import Hummingbird
import Workflow

/// Resources and Bundles as pages that a person reads in a browser, where they are signed in.
///
/// A page asks the interaction that a program would ask, by the same service, with what a token of the `user/` level shows
/// the same person; so rights, limits and the rows of the audit trail are those of the JSON. It only looks: no page changes a
/// resource. FHIR R4 http.html#mime-type (`_format`).
package struct FHIRPages: Sendable {
    /// The interactions that have a page.
    static let interactions: Set<String> = [
        "read", "vread", "historyInstance", "historyType", "historySystem", "searchType", "capabilities",
    ]

    private let sessions: any PersonSessions
    private let policy: AccessPolicy
    private let countingTime: Int64
    private let counting = CountingPlaces()

    /// - Parameters:
    ///   - sessions: who is signed in.
    ///   - policy: what the site has decided on who sees what.
    ///   - countingTime: after which a page ends its searches that only count, in microseconds.
    package init(
        sessions: any PersonSessions, policy: AccessPolicy = .standard, countingTime: Int64 = 2_000_000
    ) {
        self.sessions = sessions
        self.policy = policy
        self.countingTime = countingTime
    }

    /// The page of an interaction; nil for those that have none.
    func page(of interaction: Interaction, _ service: FHIRService) -> RoutePage? {
        guard Self.interactions.contains(interaction.name) else { return nil }
        return RoutePage(errorBody: Self.errorBody) { request in
            guard interaction.isOpen else {
                return try await signedIn(request, service) { try await show($0, interaction) }
            }
            return try await show(
                FHIRPageCall(
                    request, service, person: nil, request.access, countingTime: countingTime, counting: counting),
                interaction)
        }
    }

    /// The page of the base itself, which is no interaction of a GET: for a program it stays a path that takes POST.
    func start(_ service: FHIRService) -> Route {
        let page = RoutePage(errorBody: Self.errorBody) { request in
            try await signedIn(request, service) { try await StartPage.show($0) }
        }
        return Route(.get, "/fhir", operationID: "getResourcesPage", access: .open, page: page) { request in
            throw HTTPFailure(
                .methodNotAllowed, "This path does not take \(request.method.rawValue)", headers: [.allow: "POST"])
        }
    }

    static let errorBody = PageErrorBody { FHIRErrorBody().failure(for: $0) }

    /// For who is signed in; others are led to the sign-in, and back to the page without its query.
    private func signedIn(
        _ request: APIRequest, _ service: FHIRService, _ work: (FHIRPageCall) async throws -> Response
    ) async throws -> Response {
        guard let person = try await sessions.person(cookies: request.headers[.cookie]) else {
            return .seeOther(sessions.signInPath(returningTo: request.path))
        }
        let access = person.access(
            requestID: request.requestID, sourceAddress: request.sourceAddress, at: service.now().microseconds,
            policy: policy)
        return try await work(
            try FHIRPageCall(
                request, service, person: person, access, countingTime: countingTime, counting: counting))
    }

    private func show(_ call: FHIRPageCall, _ interaction: Interaction) async throws -> Response {
        switch interaction.name {
        case "read", "vread": try await ResourcePage.show(call, interaction)
        case "searchType": try await SearchResultPage.show(call, interaction)
        case "capabilities": try await CapabilityPage.show(call, interaction)
        default: try await HistoryListPage.show(call, interaction)
        }
    }
}

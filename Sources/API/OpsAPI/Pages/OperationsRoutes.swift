import HTTPSupport
import HTTPTypes
import Hummingbird

/// The pages for operators: what an integration engineer looks at each morning, and what they decide there.
///
/// They show what the JSON routes below `/ops` tell, by the same services, to people who are signed in as operators with
/// both factors. Every page is in the audit trail before it is shown; every change is a form with the session's token.
package struct OperationsRoutes: Sendable {
    static let path = "/operations"

    private let desk: OperationsDesk

    package init(desk: OperationsDesk) { self.desk = desk }

    /// The routes below `/operations`. Errors are pages.
    package var group: RouteGroup {
        let errors = OpsErrorBody()
        return RouteGroup(
            name: "operations", prefix: Self.path, errorBody: PageErrorBody { errors.failure(for: $0) },
            routes: [page("", "getOperations", OverviewPage.show)] + lists + QueuePages.routes(desk)
                + MessagePages.routes(desk) + QuarantinePages.routes(desk))
    }

    private var lists: [Route] {
        [
            page("/fetches", "getFetchesPage", ListPages.fetches), page("/steps", "getStepsPage", ListPages.steps),
            page("/conflicts", "getConflictsPage", ListPages.conflicts),
            page("/commitments", "getCommitmentsPage", ListPages.commitments),
            page("/exports", "getExportsPage", ListPages.exports),
            page("/imports", "getImportsPage", ListPages.imports), page("/peers", "getPeersPage", ListPages.peers),
            page("/authorities", "getAuthoritiesPage", ListPages.authorities),
            page("/storage", "getStoragePage", StoragePage.show), page("/audit", "getAuditPage", AuditPage.show),
        ]
    }

    private func page(
        _ path: String, _ operationID: String, _ work: @escaping @Sendable (OperationsCall) async throws -> Response
    ) -> Route {
        OperationsCall.route(.get, Self.path + path, operationID, desk, work)
    }

    /// The links on every page.
    static func navigation(_ language: PageLanguage) -> [Page.Link] {
        let own: [(String, PageText)] = [
            ("", .operationsTitle), ("/queues", .queuesTitle), ("/messages", .messagesTitle),
            ("/quarantine", .quarantineTitle), ("/conflicts", .conflictsTitle), ("/steps", .stepsTitle),
            ("/fetches", .fetchesTitle), ("/commitments", .commitmentsTitle), ("/exports", .exportsTitle),
            ("/imports", .importsTitle),
            ("/peers", .peersTitle), ("/authorities", .authoritiesTitle),
            ("/storage", .storageTitle), ("/audit", .auditTitle),
        ]
        return own.map { Page.Link(path + $0.0, language[$0.1]) } + [Page.Link("/account", language[.accountTitle])]
    }
}

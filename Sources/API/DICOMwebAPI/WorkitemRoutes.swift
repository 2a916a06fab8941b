import Access
import DICOMData
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import Workflow

/// The worklist service (UPS-RS): the workitems that DIMSE shows too. PS3.18 §11.
///
/// Subscribers are told by N-EVENT-REPORT, by a notification connection, or by both.
package struct WorkitemRoutes: Sendable {
    /// Bytes of a request's body: a workitem in JSON or XML.
    private static let bodyBytesMax = 4 << 20

    let store: any WorkflowStore
    let entropy: any Entropy
    /// Of DICOMweb, absolute, without a slash at its end.
    let baseURL: String
    let service = WorkitemService()
    /// Nil where there are no notification connections.
    let notifications: Notifications?

    /// - Parameters:
    ///   - entropy: names workitems that come without a UID, and what parts the bodies of answers.
    ///   - baseURL: of DICOMweb, absolute, without a slash at its end.
    ///   - notifications: nil where there are no notification connections.
    package init(
        store: any WorkflowStore, entropy: any Entropy, baseURL: String, notifications: Notifications? = nil
    ) {
        self.notifications = notifications
        self.store = store
        self.entropy = entropy
        self.baseURL = baseURL
    }

    private static func access(_ permission: Permissions) -> RouteAccess {
        .bearer(.permission(permission, on: "Task"))
    }

    /// Below `/dicomweb`.
    var routes: [Route] {
        let all = "/dicomweb/workitems"
        let one = all + "/{workitem}"
        let subscriber = one + "/subscribers/{aetitle}"
        return [
            Route(.post, all, operationID: "createWorkitem", access: Self.access(.create), handler: create),
            Route(.get, all, operationID: "searchWorkitems", access: Self.access(.search), handler: search),
            Route(.get, one, operationID: "retrieveWorkitem", access: Self.access(.read), handler: retrieve),
            Route(.post, one, operationID: "updateWorkitem", access: Self.access(.update), handler: update),
            Route(
                .put, one + "/state", operationID: "changeWorkitemState", access: Self.access(.update),
                handler: changeState),
            Route(
                .post, one + "/cancelrequest", operationID: "requestWorkitemCancellation",
                access: Self.access(.update), handler: requestCancellation),
            Route(
                .post, subscriber, operationID: "subscribeToWorkitem", access: Self.access(.read), handler: subscribe),
            Route(
                .delete, subscriber, operationID: "unsubscribeFromWorkitem", access: Self.access(.read),
                handler: unsubscribe),
            Route(
                .post, subscriber + "/suspend", operationID: "suspendWorklistSubscription",
                access: Self.access(.read), handler: suspend),
            Route(
                .get, "/dicomweb/subscribers/{aetitle}", operationID: "openNotificationConnection",
                access: Self.access(.read), isSafe: false, isSocket: true, handler: openNotifications),
        ]
    }

    // MARK: Workitems

    /// §11.4. The UID is in the query, by itself or with its name, else in the body, else made here.
    private func create(_ request: APIRequest) async throws -> Response {
        let attributes = try await body(request)
        let given = try uid(in: try request.query(), named: ["workitem", "AffectedSOPInstanceUID"])
        let uid = given ?? attributes.string(.sopInstanceUID) ?? entropy.newUID()
        guard UID.isSafe(uid), uid != UID.worklistSubscription, uid != UID.filteredWorklistSubscription else {
            throw HTTPFailure(.malformed, "the UID of the workitem is none that a workitem can have")
        }
        let creator = request.access.principal.id
        let warning = try await write(request, "create", .create, .create, uid) { unit in
            try service.create(attributes, as: uid, by: creator, in: unit)
        }
        var headers = Self.headers(warning)
        let url = "\(baseURL)/workitems/\(uid)"
        headers[.location] = url
        headers[.contentLocation] = url
        return .empty(.created, headers: headers)
    }

    /// §11.5.
    private func retrieve(_ request: APIRequest) async throws -> Response {
        let uid = try workitem(request)
        let form = try ResultForm(request)
        let attributes = try await write(request, "read", .read, .read, uid) { unit in
            try service.attributes(of: uid, in: unit)
        }
        return try form.response([attributes], boundary: entropy.newID().value)
    }

    /// §11.6. The Transaction UID is in the query, by itself or with its name, or in the body.
    private func update(_ request: APIRequest) async throws -> Response {
        let uid = try workitem(request)
        let changes = try await body(request)
        let given = try self.uid(
            in: try request.query(), named: ["transaction", "transaction-uid", "transactionUID"])
        let transactionUID = given ?? changes.string(.transactionUID)
        try await write(request, "update", .update, .update, uid) { unit in
            try service.update(uid, with: changes, by: transactionUID, in: unit)
        }
        return .empty(.ok)
    }

    /// §11.7.
    private func changeState(_ request: APIRequest) async throws -> Response {
        let uid = try workitem(request)
        let information = try await body(request)
        guard let state = information.string(.procedureStepState).flatMap(Workitem.State.init(rawValue:)),
            let transactionUID = information.string(.transactionUID), UID.isSafe(transactionUID)
        else {
            throw HTTPFailure(.malformed, "the body has a Procedure Step State and a Transaction UID")
        }
        let warning = try await write(request, "state", .execute, .update, uid, "to \(state.rawValue)") { unit in
            try service.change(uid, to: state, by: transactionUID, in: unit)
        }
        return .empty(.ok, headers: Self.headers(warning))
    }

    /// §11.8. A body is not needed.
    private func requestCancellation(_ request: APIRequest) async throws -> Response {
        let uid = try workitem(request)
        let information = try await body(request, mayBeEmpty: true)
        let requester = Self.title(of: request.access.principal)
        let warning = try await write(request, "cancelrequest", .execute, .update, uid) { unit in
            try service.requestCancellation(uid, information, by: requester, in: unit)
        }
        return .empty(.accepted, headers: Self.headers(warning))
    }

    // MARK: Subscriptions

    /// §11.10. Parameters that are attributes are the keys of a subscription to those that match.
    private func subscribe(_ request: APIRequest) async throws -> Response {
        let uid = try workitem(request)
        let receiver = try Self.receiver(request)
        var query = WorkitemQuery()
        var hasLock = false
        for parameter in try request.query() {
            switch parameter.name {
            case "deletionlock": hasLock = parameter.value == "true"
            case "accept": continue
            default: try query.add(parameter)
            }
        }
        let target = WorkitemService.Target(sopInstanceUID: uid, keys: query.identifier)
        let principal = request.access.principal
        let receivers: WorkitemService.Receivers =
            notifications == nil ? .peers : .all(client: "\(principal.kind.rawValue):\(principal.id)")
        try Self.check(request, .read)
        notifications?.hub.expect(receiver)
        try await write(request, "subscribe", .execute, .read, uid, receiver) { [hasLock] unit in
            try service.subscribe(receiver, to: target, hasLock: hasLock, among: receivers, in: unit)
        }
        var headers: HTTPFields = [:]
        headers[.contentLocation] = notificationURL(of: receiver)
        return .empty(.created, headers: headers)
    }

    /// §11.11.
    private func unsubscribe(_ request: APIRequest) async throws -> Response {
        let uid = try workitem(request)
        let receiver = try Self.receiver(request)
        let target = WorkitemService.Target(sopInstanceUID: uid, keys: DataSet())
        try await write(request, "unsubscribe", .execute, .read, uid, receiver) { unit in
            try service.unsubscribe(receiver, from: target, in: unit)
        }
        return .empty(.ok)
    }

    /// §11.12.
    private func suspend(_ request: APIRequest) async throws -> Response {
        let uid = try workitem(request)
        let receiver = try Self.receiver(request)
        let target = WorkitemService.Target(sopInstanceUID: uid, keys: DataSet())
        try await write(request, "suspend", .execute, .read, uid, receiver) { unit in
            try service.suspend(receiver, target, in: unit)
        }
        return .empty(.ok)
    }

    // MARK: Requests

    private func workitem(_ request: APIRequest) throws -> String {
        let uid = request.parameters["workitem"]
        guard UID.isSafe(uid) else { throw HTTPFailure(.malformed, "the workitem in the URL is no UID") }
        return uid
    }

    /// A UID of the query: under one of the names, or as a name without a value. Throws `.malformed` for what is none.
    private func uid(in query: QueryParameters, named names: Set<String>) throws -> String? {
        for parameter in query {
            let isNamed = names.contains(parameter.name)
            let text = isNamed ? parameter.value : parameter.name
            guard isNamed || parameter.value.isEmpty && UID.isSafe(text) else { continue }
            guard UID.isSafe(text) else { throw HTTPFailure(.malformed, "\(parameter.name) is no UID") }
            return text
        }
        return nil
    }

    private func body(_ request: APIRequest, mayBeEmpty: Bool = false) async throws -> DataSet {
        try await request.dataSet(limit: Self.bodyBytesMax, mayBeEmpty: mayBeEmpty)
    }

    /// Does the work in one unit, with its row in the audit trail, for those who may.
    @discardableResult
    private func write<Value: Sendable>(
        _ request: APIRequest, _ interaction: String, _ action: AuditRecord.Action, _ permission: Permissions,
        _ uid: String, _ detail: String? = nil, _ work: @escaping @Sendable (any UnitOfWork) throws -> Value
    ) async throws -> Value {
        try Self.check(request, permission)
        return try await store.write(request.access) { unit in
            let value = try work(unit)
            try unit.audit(
                AuditRecord(
                    category: .transfer, interaction: interaction, action: action, outcome: .success,
                    access: unit.access, entity: "workitem:\(uid)", detail: detail))
            return value
        }
    }

    /// Throws for a token that reaches a part of all tasks only: which workitems are its patient's is not known.
    static func check(_ request: APIRequest, _ permission: Permissions) throws(HTTPFailure) {
        guard request.access.mayUseWorkitems(permission) else {
            throw HTTPFailure(.insufficientScope, "workitems need system/Task.\(permission.letters)")
        }
    }

    /// What stands for a client as Requesting AE: the first 16 characters of its id that an AE title may have.
    static func title(of principal: Principal) -> String {
        let allowed = principal.id.unicodeScalars.filter { (0x21...0x7E).contains($0.value) && $0 != "\\" }
        let title = String(String.UnicodeScalarView(allowed.prefix(16)))
        return title.isEmpty ? "UPS-RS" : title
    }
}

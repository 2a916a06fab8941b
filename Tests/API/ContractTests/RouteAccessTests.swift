import Access
import FHIRResources
import HTTPSupport
import HTTPTypes
import SQLStore
import Testing

/// Every route and operation against every role and both of two patients: what somebody may not see is answered as what
/// was never there. An operation that this does not know fails it. House decision 5; decision 0034.
@Suite struct RouteAccessTests {
    /// A caller, and whose data they see.
    struct Caller: Sendable {
        let name: String
        let access: AccessContext
        /// Patients whose resources, and whose images, are seen.
        var resources: Set<String>
        var images: Set<String>
    }

    /// What is asked of an operation.
    private enum Kind {
        /// Something of one patient: there for who sees them, and like an unknown id for anybody else.
        case thing
        /// The same of the objects of images.
        case image
        /// A list over both patients: holds those who are seen, and no other.
        case list
        /// As a list that may have nothing to show.
        case sparse
        /// Asks for the whole type, or for a change: nobody here may.
        case refused
        /// Shows nothing of patients to anybody without a session or other rights.
        case silent
    }

    private struct Ask {
        let kind: Kind
        let method: HTTPRequest.Method
        /// With `:p` for the patient's letter, and `:n` for the number in the patient's UIDs.
        let targets: [String]
        var headers: HTTPFields = [:]
        var body = ""

        init(
            _ kind: Kind, _ method: HTTPRequest.Method, _ targets: String..., accept: String? = nil,
            type: String? = nil, prefer: String? = nil, body: String = ""
        ) {
            self.kind = kind
            self.method = method
            self.targets = targets
            if let accept { headers[.accept] = accept }
            if let prefer, let name = HTTPField.Name("Prefer") { headers[name] = prefer }
            if let type { headers[.contentType] = type }
            self.body = body
        }

        func text(_ template: String, _ patient: String) -> String {
            template.replacing(":p", with: patient).replacing(":n", with: RouteAccessTests.number(patient))
        }
    }

    static func number(_ patient: String) -> String { ["a": "1", "b": "2"][patient] ?? "9" }
    private static func study(_ patient: String) -> String { "1.2.826.0.\(number(patient))" }
    private static func name(_ patient: String) -> String { "CANARY\(patient.uppercased())" }

    // MARK: The operations

    private static let fhirJSON = "application/fhir+json"
    private static let form = "application/x-www-form-urlencoded"
    private static let dicomJSON = "application/dicom+json"
    private static let dicom = "multipart/related; type=\"application/dicom\"; transfer-syntax=*"
    private static let uids = "/dicomweb/studies/1.2.826.0.:n"
    private static let observation = """
        {"resourceType":"Observation","id":"o-:p","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/:p"}}
        """

    private static func ask(_ operationID: String) -> Ask? {
        let series = uids + "/series/1.2.826.0.:n.1"
        let instance = series + "/instances/1.2.826.0.:n.1.1"
        switch operationID {
        // FHIR.
        case "capabilities": return Ask(.silent, .get, "/fhir/metadata")
        case "read": return Ask(.thing, .get, "/fhir/Observation/o-:p", "/fhir/Patient/:p", "/fhir/ServiceRequest/s-:p")
        case "vread": return Ask(.thing, .get, "/fhir/Observation/o-:p/_history/1", "/fhir/Patient/:p/_history/1")
        case "historyInstance": return Ask(.thing, .get, "/fhir/Observation/o-:p/_history")
        case "historyType": return Ask(.list, .get, "/fhir/Observation/_history")
        case "historySystem": return Ask(.list, .get, "/fhir/_history")
        case "searchType":
            return Ask(
                .list, .get, "/fhir/Observation", "/fhir/Patient",
                "/fhir/Observation?_total=accurate&_sort=-_lastUpdated",
                "/fhir/Observation?_include=Observation:subject", "/fhir/Patient?_revinclude=Observation:subject",
                "/fhir/Patient?_has:Observation:subject:status=final",
                "/fhir/Observation?subject:Patient.gender=female",
                "/fhir/Patient?_revinclude=Observation:subject&_include:iterate=Observation:subject")
        case "searchTypePost": return Ask(.list, .post, "/fhir/Patient/_search", type: form, body: "gender=female")
        case "bundle":
            return Ask(
                .list, .post, "/fhir", type: fhirJSON,
                body: """
                    {"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Observation"}},\
                    {"request":{"method":"GET","url":"Patient/a"}},{"request":{"method":"GET","url":"Patient/b"}},\
                    {"request":{"method":"GET","url":"Observation/o-b/_history/1"}},\
                    {"request":{"method":"DELETE","url":"Observation/o-a"}}]}
                    """)
        case "create": return Ask(.refused, .post, "/fhir/Observation", type: fhirJSON, body: observation)
        case "update": return Ask(.refused, .put, "/fhir/Observation/o-:p", type: fhirJSON, body: observation)
        case "updateConditional":
            return Ask(.refused, .put, "/fhir/Observation?subject=Patient/:p", type: fhirJSON, body: observation)
        case "patch":
            return Ask(
                .refused, .patch, "/fhir/Observation/o-:p", type: "application/json-patch+json",
                body: #"[{"op":"add","path":"/language","value":"de"}]"#)
        case "patchConditional":
            return Ask(
                .refused, .patch, "/fhir/Observation?subject=Patient/:p", type: "application/json-patch+json",
                body: #"[{"op":"add","path":"/language","value":"de"}]"#)
        case "delete": return Ask(.refused, .delete, "/fhir/Observation/o-:p")
        case "deleteConditional": return Ask(.refused, .delete, "/fhir/Observation?subject=Patient/:p")
        // Asked for as it has to be, so that nothing but the rights is left to refuse.
        case "exportKickOff":
            return Ask(.refused, .get, "/fhir/$export?_type=Patient", "/fhir/$export", prefer: asynchronous)
        case "exportKickOffPost":
            return Ask(.refused, .post, "/fhir/$export", type: fhirJSON, prefer: asynchronous, body: parameters)
        case "exportPatients": return Ask(.refused, .get, "/fhir/Patient/$export", prefer: asynchronous)
        case "exportPatientsPost":
            return Ask(.refused, .post, "/fhir/Patient/$export", type: fhirJSON, prefer: asynchronous, body: parameters)
        case "exportGroup": return Ask(.refused, .get, "/fhir/Group/g/$export", prefer: asynchronous)
        case "exportGroupPost":
            return Ask(.refused, .post, "/fhir/Group/g/$export", type: fhirJSON, prefer: asynchronous, body: parameters)
        case "exportStatus": return Ask(.refused, .get, "/fhir/_export/j")
        case "exportDelete": return Ask(.refused, .delete, "/fhir/_export/j")
        case "exportFile": return Ask(.refused, .get, "/fhir/_export/j/f")
        case "importKickOff":
            return Ask(
                .refused, .post, "/fhir/$import", type: "application/json", prefer: asynchronous,
                body: """
                    {"inputFormat":"application/fhir+ndjson","input":[{"type":"Observation",\
                    "url":"https://files.example/1"}]}
                    """)
        case "importStatus": return Ask(.refused, .get, "/fhir/_import/j")
        case "importDelete": return Ask(.refused, .delete, "/fhir/_import/j")
        case "importFile": return Ask(.refused, .get, "/fhir/_import/j/0")
        // DICOMweb.
        case "searchStudies": return Ask(.list, .get, "/dicomweb/studies", accept: dicomJSON)
        case "searchSeries": return Ask(.list, .get, "/dicomweb/series", accept: dicomJSON)
        case "searchInstances": return Ask(.list, .get, "/dicomweb/instances", accept: dicomJSON)
        case "searchStudySeries": return Ask(.thing, .get, uids + "/series", accept: dicomJSON)
        case "searchStudyInstances": return Ask(.thing, .get, uids + "/instances", accept: dicomJSON)
        case "searchSeriesInstances": return Ask(.thing, .get, series + "/instances", accept: dicomJSON)
        case "retrieveStudy": return Ask(.image, .get, uids, accept: dicom)
        case "retrieveSeries": return Ask(.image, .get, series, accept: dicom)
        case "retrieveInstance": return Ask(.image, .get, instance, accept: dicom)
        case "retrieveStudyMetadata": return Ask(.image, .get, uids + "/metadata", accept: dicomJSON)
        case "retrieveSeriesMetadata": return Ask(.image, .get, series + "/metadata", accept: dicomJSON)
        case "retrieveInstanceMetadata": return Ask(.image, .get, instance + "/metadata", accept: dicomJSON)
        case "retrieveFrames": return Ask(.image, .get, instance + "/frames/1")
        case "retrieveBulkData": return Ask(.image, .get, instance + "/bulkdata/7FE00010")
        case "retrievePixelData": return Ask(.image, .get, instance + "/pixeldata")
        case "retrieveStudyPixelData": return Ask(.image, .get, uids + "/pixeldata")
        case "retrieveSeriesPixelData": return Ask(.image, .get, series + "/pixeldata")
        case "retrieveByURI":
            return Ask(
                .image, .get,
                "/dicomweb/wado?requestType=WADO&studyUID=1.2.826.0.:n&seriesUID=1.2.826.0.:n.1"
                    + "&objectUID=1.2.826.0.:n.1.1&contentType=application/dicom")
        case "retrieveCapabilities": return Ask(.silent, .options, "/dicomweb")
        case "retrieveRenderedStudy": return Ask(.image, .get, uids + "/rendered")
        case "retrieveRenderedSeries": return Ask(.image, .get, series + "/rendered")
        case "retrieveRenderedInstance": return Ask(.image, .get, instance + "/rendered")
        case "retrieveRenderedFrames": return Ask(.image, .get, instance + "/frames/1/rendered")
        case "retrieveStudyThumbnail": return Ask(.image, .get, uids + "/thumbnail")
        case "retrieveSeriesThumbnail": return Ask(.image, .get, series + "/thumbnail")
        case "retrieveInstanceThumbnail": return Ask(.image, .get, instance + "/thumbnail")
        case "retrieveFrameThumbnail": return Ask(.image, .get, instance + "/frames/1/thumbnail")
        case "storeInstances":
            return Ask(.refused, .post, "/dicomweb/studies", type: dicom + "; boundary=b", body: "--b--")
        case "storeStudyInstances": return Ask(.refused, .post, uids, type: dicom + "; boundary=b", body: "--b--")
        case "deleteStudy": return Ask(.refused, .delete, uids + "?code=113001")
        case "deleteSeries": return Ask(.refused, .delete, series + "?code=113001")
        case "deleteInstance": return Ask(.refused, .delete, instance + "?code=113001")
        case "searchWorkitems": return Ask(.sparse, .get, "/dicomweb/workitems", accept: dicomJSON)
        case "createWorkitem":
            return Ask(.refused, .post, "/dicomweb/workitems?1.2.3", type: dicomJSON, body: "[{}]")
        case "retrieveWorkitem": return Ask(.refused, .get, "/dicomweb/workitems/1.2.3", accept: dicomJSON)
        case "updateWorkitem":
            return Ask(.refused, .post, "/dicomweb/workitems/1.2.3", type: dicomJSON, body: "[{}]")
        case "changeWorkitemState":
            return Ask(.refused, .put, "/dicomweb/workitems/1.2.3/state", type: dicomJSON, body: "[{}]")
        case "requestWorkitemCancellation":
            return Ask(.refused, .post, "/dicomweb/workitems/1.2.3/cancelrequest", type: dicomJSON, body: "[{}]")
        case "subscribeToWorkitem": return Ask(.refused, .post, "/dicomweb/workitems/1.2.3/subscribers/AE")
        case "unsubscribeFromWorkitem": return Ask(.refused, .delete, "/dicomweb/workitems/1.2.3/subscribers/AE")
        case "suspendWorklistSubscription":
            return Ask(.refused, .post, "/dicomweb/workitems/1.2.840.10008.5.1.4.34.5/subscribers/AE/suspend")
        case "openNotificationConnection": return Ask(.refused, .get, "/dicomweb/subscribers/AE")
        case "searchModalityScheduledProcedureSteps":
            return Ask(.sparse, .get, "/dicomweb/modality-scheduled-procedure-steps", accept: dicomJSON)
        case "recordModalityPerformedProcedureStep":
            return Ask(
                .refused, .post, "/dicomweb/modality-performed-procedure-steps/1.2.3",
                "/dicomweb/modality-performed-procedure-steps/1.2.3?update", type: dicomJSON, body: "[{}]")
        case "retrieveModalityPerformedProcedureStep":
            return Ask(.refused, .get, "/dicomweb/modality-performed-procedure-steps/1.2.3", accept: dicomJSON)
        case "requestStorageCommitment":
            return Ask(.refused, .post, "/dicomweb/commitment-requests/1.2.3", type: dicomJSON, body: commitment)
        case "checkStorageCommitment":
            return Ask(.refused, .get, "/dicomweb/commitment-requests/1.2.3", accept: dicomJSON)
        // Operations.
        case "getOps": return Ask(.silent, .get, "/ops")
        case "listQuarantine": return Ask(.sparse, .get, "/ops/quarantine")
        case "getQuarantinedStudy": return Ask(.sparse, .get, "/ops/quarantine/1.2.826.0.:n")
        case "acceptQuarantined": return Ask(.refused, .post, "/ops/quarantine/1.2.826.0.:n/accept", body: "{}")
        case "relinkQuarantined": return Ask(.refused, .post, "/ops/quarantine/1.2.826.0.:n/relink", body: "{}")
        case "rejectQuarantined": return Ask(.refused, .post, "/ops/quarantine/1.2.826.0.:n/reject", body: "{}")
        case "undoQuarantineDecision": return Ask(.refused, .post, "/ops/quarantine/1.2.826.0.:n/undo", body: "{}")
        case "listWaitingSteps": return Ask(.sparse, .get, "/ops/worklist/waiting")
        case "listConflicts": return Ask(.sparse, .get, "/ops/conflicts")
        case "listFetches": return Ask(.sparse, .get, "/ops/fetches")
        case "listCommitments": return Ask(.sparse, .get, "/ops/commitments")
        case "listMessages": return Ask(.sparse, .get, "/ops/messages")
        case "getMessage": return Ask(.refused, .get, "/ops/messages/1")
        case "listOutbox": return Ask(.sparse, .get, "/ops/outbox")
        case "replayOutboxDestination": return Ask(.refused, .post, "/ops/outbox/replay?destination=x")
        case "discardOutboxDestination": return Ask(.refused, .post, "/ops/outbox/discard?destination=x")
        case "replayOutboxEntry": return Ask(.refused, .post, "/ops/outbox/1/replay")
        case "discardOutboxEntry": return Ask(.refused, .post, "/ops/outbox/1/discard")
        case "prepareLaunch":
            return Ask(
                .refused, .post, "/ops/launches", type: "application/json", body: #"{"client":"c","patient":":p"}"#)
        // A hook is called with the caller's own token; one of this server's is none.
        case "discoverCDSServices": return Ask(.silent, .get, "/cds-services")
        case "callImagingStudiesHook":
            return Ask(
                .silent, .post, "/cds-services/imaging-studies", type: "application/json",
                body: #"{"hook":"patient-view","hookInstance":"1","context":{"patientId":":p"}}"#)
        case "sendImagingStudiesFeedback":
            return Ask(
                .silent, .post, "/cds-services/imaging-studies/feedback", type: "application/json",
                body: #"{"feedback":[{"card":":p","outcome":"accepted","outcomeTimestamp":"2026-11-30T10:00:00Z"}]}"#)
        case "getLiveness": return Ask(.silent, .get, "/health/live")
        case "getReadiness": return Ask(.silent, .get, "/health/ready")
        case "getMetrics": return Ask(.silent, .get, "/metrics")
        // Tokens: what is said of them is said to clients.
        case "getSmartConfiguration": return Ask(.silent, .get, "/fhir/.well-known/smart-configuration")
        case "getServerKeys": return Ask(.silent, .get, "/oauth/jwks")
        case "getOpenIDConfiguration": return Ask(.silent, .get, "/.well-known/openid-configuration")
        case "authorize": return Ask(.silent, .get, "/auth/authorize?find=CAN&patient=:p")
        case "postAuthorize": return Ask(.silent, .post, "/auth/authorize", type: form, body: "patient=:p")
        case "postConsent": return Ask(.silent, .post, "/auth/consent", type: form, body: "patient=:p&decision=allow")
        case "revokeToken": return Ask(.silent, .post, "/oauth/revoke", type: form, body: "token=x")
        case "introspectToken": return Ask(.silent, .post, "/oauth/introspect", type: form, body: "token=x")
        case "postToken": return Ask(.silent, .post, "/oauth/token", type: form, body: "grant_type=x")
        case "registerClient":
            return Ask(
                .silent, .post, "/oauth/register", type: "application/json",
                body: #"{"client_name":"x","redirect_uris":["https://app.example/"],"scope":"user/*.rs"}"#)
        case "getViewer": return Ask(.silent, .get, "/viewer")
        case "getViewerFile": return Ask(.silent, .get, "/viewer/1/x.js")
        default: return pages(operationID)
        }
    }

    private static let commitment = """
        {"00081199":{"vr":"SQ","Value":[{"00081150":{"vr":"UI","Value":["1.2.840.10008.5.1.4.1.1.2"]},\
        "00081155":{"vr":"UI","Value":["1.2.826.0.1.1.1"]}}]}}
        """
    private static let parameters = #"{"resourceType":"Parameters"}"#
    private static let asynchronous = "respond-async"

    /// Pages: a token is no session.
    private static func pages(_ operationID: String) -> Ask? {
        let gets = [
            "getAccount": "/account", "getSignIn": "/account/sign-in", "getSecondFactor": "/account/second-factor",
            "getEnrolment": "/account/enrolment", "getPasswordReset": "/account/reset", "listUsers": "/account/users",
            "listApps": "/account/clients", "getStylesheet": "/assets/style.css", "getOperations": "/operations",
            "getQueuesPage": "/operations/queues", "getMessagesPage": "/operations/messages",
            "getMessagePage": "/operations/messages/1", "getQuarantinePage": "/operations/quarantine",
            "getQuarantinedStudyPage": "/operations/quarantine/1.2.826.0.:n", "getFetchesPage": "/operations/fetches",
            "getStepsPage": "/operations/steps", "getConflictsPage": "/operations/conflicts",
            "getExportsPage": "/operations/exports", "getPeersPage": "/operations/peers",
            "getAuthoritiesPage": "/operations/authorities", "getCommitmentsPage": "/operations/commitments",
            "getStoragePage": "/operations/storage", "getAuditPage": "/operations/audit?patient=:p",
            "getEmergencyPage": "/account/emergency", "getEmergenciesPage": "/account/emergencies",
            "getPasskeySignIn": "/account/passkey", "listPasskeys": "/account/passkeys",
            "getPasskeyScript": "/assets/scripts/x.js", "listAccess": "/account/access",
            "getOutsideAnswer": "/account/sign-in/outside/x/answer?code=x&state=x",
            "getWaitingApp": "/account/clients/waiting/x", "getImportsPage": "/operations/imports",
            "getResourcesPage": "/fhir", "getContract": "/openapi", "getContractDocument": "/openapi/fhir",
        ]
        if let path = gets[operationID] { return Ask(.silent, .get, path) }
        let posts = [
            "postSignIn": "/account/sign-in", "postSecondFactor": "/account/second-factor",
            "postEnrolment": "/account/enrolment", "postPasswordReset": "/account/reset",
            "postSignOut": "/account/sign-out", "postPassword": "/account/password",
            "endSession": "/account/sessions/x/end", "lockUser": "/account/users/x/lock",
            "unlockUser": "/account/users/x/unlock", "endUserSessions": "/account/users/x/end-sessions",
            "resetUser": "/account/users/x/reset", "revokeApp": "/account/clients/revoke",
            "replayFromPage": "/operations/queues/1/replay", "discardFromPage": "/operations/queues/1/discard",
            "replayDestinationFromPage": "/operations/queues/replay",
            "discardDestinationFromPage": "/operations/queues/discard",
            "acceptFromPage": "/operations/quarantine/1.2.826.0.:n/accept",
            "rejectFromPage": "/operations/quarantine/1.2.826.0.:n/reject",
            "undoFromPage": "/operations/quarantine/1.2.826.0.:n/undo",
            "relinkFromPage": "/operations/quarantine/1.2.826.0.:n/relink",
            "postEmergency": "/account/emergency",
            "addPasskey": "/account/passkeys", "removePasskey": "/account/passkeys/remove",
            "postPasskeySignIn": "/account/passkey", "postOutsideSignIn": "/account/sign-in/outside/x",
            "withdrawAccess": "/account/access/withdraw", "approveApp": "/account/clients/waiting/x/approve",
            "refuseApp": "/account/clients/waiting/x/refuse",
        ]
        return posts[operationID].map { Ask(.silent, .post, $0, type: form, body: "patient=:p&number=N:p&reason=r") }
    }

    // MARK: The callers

    private struct Tokens: TokenVerifying {
        let callers: [String: AccessContext]
        func accessContext(bearerToken: String, requestID: String, sourceAddress: String?) async throws
            -> AccessContext?
        { callers[bearerToken] }
    }

    static let now: Int64 = 1_700_000_000_000_000

    private static func staff(
        _ role: Practice.Role, _ account: String, _ user: String? = nil, launched: [String] = [],
        scopes: String = "user/*.rs", patient: String? = nil
    ) -> AccessContext {
        AccessContext(
            principal: .person(account, client: "app", name: account),
            scopes: scopes.split(separator: " ").compactMap { Scope(String($0)) }, patient: patient,
            practice: Practice(role, accountID: account, fhirUser: user, launched: launched, time: now),
            requestID: "t")
    }

    static let callers: [Caller] = {
        var callers: [Caller] = [
            Caller(
                name: "administrator", access: staff(.administrator, "admin"), resources: ["a", "b"], images: []),
            Caller(
                name: "administrator with all letters", access: staff(.administrator, "admin", scopes: "user/*.cruds"),
                resources: ["a", "b"], images: []),
            Caller(name: "stranger", access: staff(.referrer, "new", "Practitioner/z"), resources: [], images: []),
            Caller(name: "unlinked", access: staff(.referrer, "new"), resources: [], images: []),
            Caller(name: "reader without a desk", access: staff(.reader, "new"), resources: [], images: []),
            Caller(
                name: "operator",
                access: AccessContext(
                    principal: .person("op", client: "app", name: "op"),
                    scopes: ["user/*.cruds"].compactMap { Scope($0) }, requestID: "t"), resources: [], images: []),
        ]
        for patient in ["a", "b"] {
            let own: Set<String> = [patient]
            let accesses: [(String, AccessContext)] = [
                ("referrer", staff(.referrer, "ref-" + patient, "Practitioner/" + patient)),
                (
                    "referrer with all letters",
                    staff(.referrer, "ref-" + patient, "Practitioner/" + patient, scopes: "user/*.cruds")
                ),
                ("reader", staff(.reader, "read-" + patient)),
                ("granted", staff(.reader, "granted-" + patient)),
                ("emergency", staff(.referrer, "emergency-" + patient)),
                ("launched", staff(.referrer, "new", launched: [patient])),
                (
                    "launched in context",
                    staff(.referrer, "new", launched: [patient], scopes: "patient/*.rs", patient: patient)
                ),
                (
                    "patient",
                    AccessContext(
                        principal: .person(patient, client: "app", name: patient),
                        scopes: ["user/*.cruds"].compactMap { Scope($0) }, reach: [.patient(patient)], requestID: "t")
                ),
                (
                    "patient in context",
                    AccessContext(
                        principal: .person(patient, client: "app", name: patient),
                        scopes: ["patient/*.cruds"].compactMap { Scope($0) }, patient: patient, requestID: "t")
                ),
            ]
            callers += accesses.map {
                Caller(name: "\($0.0) of \(patient)", access: $0.1, resources: own, images: own)
            }
            callers.append(
                Caller(
                    name: "administrator granted \(patient)", access: staff(.administrator, "granted-" + patient),
                    resources: ["a", "b"], images: own))
        }
        return callers
    }()

    // MARK: The data

    private static func fill(_ store: RelationalStore, _ responder: APIResponder) async throws {
        func put(_ path: String, _ json: String) async throws {
            let answer = try await responder.answer(
                .put, "/fhir/" + path, headers: [.contentType: fhirJSON, .authorization: "Bearer server"],
                body: Array(json.utf8))
            #expect([200, 201].contains(answer.status), "\(path): \(answer.status) \(answer.text)")
        }
        for patient in ["a", "b"] {
            let canary = name(patient)
            try await put(
                "Patient/\(patient)",
                #"{"resourceType":"Patient","id":"\#(patient)","gender":"female","name":[{"family":"\#(canary)"}],"identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"system":"urn:example:patient","value":"N\#(patient)"}]}"#
            )
            try await put(
                "Observation/o-\(patient)",
                #"{"resourceType":"Observation","id":"o-\#(patient)","status":"final","code":{"text":"\#(canary)"},"subject":{"reference":"Patient/\#(patient)"}}"#
            )
            try await put(
                "ServiceRequest/s-\(patient)",
                #"{"resourceType":"ServiceRequest","id":"s-\#(patient)","status":"active","intent":"order","code":{"text":"\#(canary)"},"subject":{"reference":"Patient/\#(patient)"},"requester":{"reference":"Practitioner/\#(patient)"}}"#
            )
            let study = study(patient)
            let head = "--cut\r\nContent-Type: application/dicom\r\n\r\n"
            let body =
                Array(head.utf8)
                + SmallImage.bytes(
                    study: study, name: canary, number: "N" + patient, modality: patient == "a" ? "CT" : "MR")
                + Array("\r\n--cut--\r\n".utf8)
            let stored = try await responder.answer(
                .post, "/dicomweb/studies",
                headers: [
                    .contentType: "multipart/related; type=\"application/dicom\"; boundary=cut",
                    .authorization: "Bearer server", .accept: dicomJSON,
                ], body: body)
            #expect(stored.status == 200, "\(stored.text)")
            for account in ["read-", "granted-", "emergency-"] {
                let id = account + patient
                _ = try await store.add(Account(id: id, name: id, displayName: id, role: .reader, createdAt: 1))
            }
            #expect(
                try await store.save(
                    ReadingDesk(modalities: [patient == "a" ? "CT" : "MR"], stations: ["*"]),
                    ofAccount: "read-" + patient))
            for (account, kind) in [("granted-", PatientGrant.Kind.grant), ("emergency-", .emergency)] {
                let grant = PatientGrant(
                    id: account + patient, accountID: account + patient, patientID: patient, kind: kind, reason: "r",
                    givenBy: "op", givenAt: now - 1, expires: now + 1)
                #expect(try await store.save(grant))
            }
        }
    }

    // MARK: The walk

    @Test("Every operation shows each role its own patients, and of any other what an unknown id gives")
    func everyOperation() async throws {
        try await ServedRoutes.with { (groups: [RouteGroup], store: RelationalStore) in
            let table = try RouteTable(groups)
            var accesses = Dictionary(uniqueKeysWithValues: Self.callers.map { (Self.token($0), $0.access) })
            accesses["server"] = AccessContext(
                principal: Principal(kind: .client, id: "server"),
                scopes: ["system/*.cruds"].compactMap { Scope($0) }, requestID: "t")
            let responder = APIResponder(
                table: table,
                authenticator: BearerAuthenticator(tokens: Tokens(callers: accesses), audit: store, realm: "r"),
                newRequestID: { "test" })
            try await Self.fill(store, responder)
            for operation in table.operations {
                guard let ask = Self.ask(operation.operationID) else {
                    Issue.record("\(operation.operationID) is not walked: say in ask() what it shows, and to whom")
                    continue
                }
                #expect(ask.method.rawValue == operation.method, "\(operation.operationID)")
                for target in ask.targets {
                    #expect(Self.fits(operation.template, target), "\(operation.operationID) is not at \(target)")
                }
                #expect(
                    operation.requiresToken != (ask.kind == .silent) || operation.operationID == "getMetrics",
                    "\(operation.operationID) needs a token, and is walked as if it did not")
                // Without a token nobody differs.
                for caller in ask.kind == .silent ? Array(Self.callers.prefix(2)) : Self.callers {
                    try await Self.walk(ask, operation.operationID, caller, responder)
                }
            }
            // Whatever was sent: nothing was changed by any of them.
            for patient in ["a", "b"] {
                let newest = try await store.read(
                    "Observation", "o-" + patient, access: AccessContext.server(requestID: "t"))
                #expect(newest?.version == 1 && newest?.isDeleted == false)
            }
        }
    }

    /// Whether a path is one of the template.
    private static func fits(_ template: String, _ target: String) -> Bool {
        let path = target.prefix { $0 != "?" }
        let (names, segments) = (template.split(separator: "/"), path.split(separator: "/"))
        return names.count == segments.count
            && zip(names, segments).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
    }

    private static func token(_ caller: Caller) -> String { caller.name.replacing(" ", with: "-") }

    private static func walk(
        _ ask: Ask, _ operationID: String, _ caller: Caller, _ responder: APIResponder
    ) async throws {
        let seen = ask.kind == .image ? caller.images : caller.resources
        for template in ask.targets {
            for patient in ["a", "b"] {
                let note = "\(caller.name): \(operationID) \(ask.text(template, patient))"
                let answer = try await send(ask, template, patient, caller, responder)
                // Never the name of somebody else, whatever was asked.
                for other in ["a", "b"] where !seen.contains(other) {
                    #expect(!answer.text.contains(name(other)), "\(note) tells of \(other)")
                }
                switch ask.kind {
                case .thing, .image:
                    let unknown = try await send(ask, template, "x", caller, responder)
                    let asUnknown = unknown.text.replacing(ask.text(":n", "x"), with: ask.text(":n", patient))
                    if seen.contains(patient) {
                        // What is no bulk data of an object is not there for anybody.
                        if operationID == "retrieveBulkData" { continue }
                        #expect(answer.status != 404 && answer.status != 403, "\(note): \(answer.status)")
                        #expect(answer.status != unknown.status || answer.text != unknown.text, "\(note)")
                    } else {
                        #expect(answer.status == unknown.status, "\(note)")
                        #expect(answer.body.count == unknown.body.count, "\(note)")
                        #expect(
                            answer.text.count == asUnknown.count
                                && answer.headers[.contentType] == unknown.headers[.contentType],
                            "\(note)")
                    }
                case .list:
                    for own in seen {
                        let marks = [name(own), study(own)]
                        #expect(marks.contains { answer.text.contains($0) }, "\(note): not of \(own)")
                    }
                    for other in ["a", "b"] where !seen.contains(other) {
                        #expect(!answer.text.contains(study(other)), "\(note) tells of \(other)")
                    }
                    #expect(answer.status != 500, "\(note)")
                case .sparse: #expect(answer.status < 500, "\(note)")
                case .refused:
                    #expect(
                        [400, 401, 403, 404, 405, 406, 409, 415].contains(answer.status), "\(note): \(answer.status)")
                case .silent:
                    for each in ["a", "b"] { #expect(!answer.text.contains(name(each)), "\(note)") }
                }
            }
        }
    }

    private static func send(
        _ ask: Ask, _ template: String, _ patient: String, _ caller: Caller, _ responder: APIResponder
    ) async throws -> CollectedResponse {
        var headers = ask.headers
        headers[.authorization] = "Bearer " + token(caller)
        return try await responder.answer(
            ask.method, ask.text(template, patient), headers: headers, body: Array(ask.text(ask.body, patient).utf8))
    }

    @Test("Each caller that is walked is another one")
    func callersDiffer() {
        #expect(Set(Self.callers.map(\.access)).count == Self.callers.count)
        #expect(Set(Self.callers.map { Self.token($0) }).count == Self.callers.count)
    }
}

/// A grey image of two by two pixels as a file of PS3.10, in Explicit VR Little Endian.
enum SmallImage {
    static func bytes(study: String, name: String, number: String, modality: String) -> [UInt8] {
        let instance = study + ".1.1"
        let sopClass = "1.2.840.10008.5.1.4.1.1.7"
        var meta: [UInt8] = []
        meta += long(0x0002, 0x0001, "OB", [0, 1])
        meta += uid(0x0002, 0x0002, sopClass) + uid(0x0002, 0x0003, instance)
        meta += uid(0x0002, 0x0010, "1.2.840.10008.1.2.1") + uid(0x0002, 0x0012, "1.2.826.0.99")
        var bytes = [UInt8](repeating: 0, count: 128) + Array("DICM".utf8)
        bytes += short(0x0002, 0x0000, "UL", little(UInt32(meta.count))) + meta
        bytes += uid(0x0008, 0x0016, sopClass) + uid(0x0008, 0x0018, instance)
        bytes += text(0x0008, 0x0060, "CS", modality) + text(0x0010, 0x0010, "PN", name)
        bytes += text(0x0010, 0x0020, "LO", number)
        bytes += uid(0x0020, 0x000D, study) + uid(0x0020, 0x000E, study + ".1") + text(0x0020, 0x0013, "IS", "1")
        bytes += word(0x0028, 0x0002, 1) + text(0x0028, 0x0004, "CS", "MONOCHROME2")
        bytes += word(0x0028, 0x0010, 2) + word(0x0028, 0x0011, 2) + word(0x0028, 0x0100, 8)
        bytes += word(0x0028, 0x0101, 8) + word(0x0028, 0x0102, 7) + word(0x0028, 0x0103, 0)
        return bytes + long(0x7FE0, 0x0010, "OB", [10, 80, 160, 240])
    }

    private static func little(_ value: UInt16) -> [UInt8] { [UInt8(value & 0xFF), UInt8(value >> 8)] }
    private static func little(_ value: UInt32) -> [UInt8] {
        little(UInt16(value & 0xFFFF)) + little(UInt16(value >> 16))
    }
    private static func short(_ group: UInt16, _ element: UInt16, _ vr: String, _ value: [UInt8]) -> [UInt8] {
        little(group) + little(element) + Array(vr.utf8) + little(UInt16(value.count)) + value
    }
    private static func long(_ group: UInt16, _ element: UInt16, _ vr: String, _ value: [UInt8]) -> [UInt8] {
        little(group) + little(element) + Array(vr.utf8) + [0, 0] + little(UInt32(value.count)) + value
    }
    private static func word(_ group: UInt16, _ element: UInt16, _ value: UInt16) -> [UInt8] {
        short(group, element, "US", little(value))
    }
    private static func uid(_ group: UInt16, _ element: UInt16, _ value: String) -> [UInt8] {
        let bytes = Array(value.utf8)
        return short(group, element, "UI", bytes.count % 2 == 0 ? bytes : bytes + [0])
    }
    private static func text(_ group: UInt16, _ element: UInt16, _ vr: String, _ value: String) -> [UInt8] {
        let bytes = Array(value.utf8)
        return short(group, element, vr, bytes.count % 2 == 0 ? bytes : bytes + [0x20])
    }
}

/// The columns whose values may be sealed: whatever holds what a resource, a message or an object says, but for what
/// searches and worklists look things up by.
package enum SealedColumn: String, Sendable, Hashable, CaseIterable {
    case resourceBody = "resource_versions.body"
    case messageText = "messages.raw"
    case messageAnswer = "messages.acknowledgement"
    case outboxPayload = "outbox.payload"
    case header = "instance_headers.header"
    case rejectedHeader = "rejected_instances.header"
    case patient = "patients.detail"
    case visit = "visits.detail"
    case order = "orders.detail"
    case orderEvents = "order_events.detail"
    case report = "reports.detail"
    case study = "studies.detail"
    case series = "series.detail"
    case rejectedSeries = "rejected_series.detail"
    case rejectedDecision = "rejected_decisions.detail"
    case remoteStudy = "remote_studies.detail"
    case workitem = "workitems.detail"
    case workitemDataSet = "workitems.data_set"
    case worklistFilter = "worklist_subscriptions.filter"
    case performedStep = "performed_steps.detail"
    case performedStepDataSet = "performed_steps.data_set"
    case exportJob = "export_jobs.detail"
    case exportPart = "export_parts.detail"
    case importJob = "import_jobs.detail"
    case importInput = "import_inputs.detail"
    case importOutcome = "import_outcomes.outcome"
    case subscription = "subscriptions.detail"
    case audit = "audit.record"

    var table: String { String(rawValue.prefix { $0 != "." }) }
    var column: String { String(rawValue.drop { $0 != "." }.dropFirst()) }

    /// What a value is sealed for beside its row. Rows of images move between the answers and what was rejected as they
    /// are, so both tables have one.
    var label: String { self == .rejectedHeader ? SealedColumn.header.rawValue : rawValue }

    /// The row's identity, as SQL and as the tables give it: of several parts with a slash between them, of which only
    /// the last may hold one.
    var identity: String {
        switch self {
        case .resourceBody: "type || '/' || id || '/' || CAST(version AS TEXT)"
        case .messageText, .messageAnswer, .patient, .visit, .order, .report, .exportJob, .importJob, .subscription:
            "id"
        case .audit: "CAST(number AS TEXT)"
        case .outboxPayload: "event || '/' || destination"
        case .header, .rejectedHeader, .rejectedDecision: "sop_uid"
        case .orderEvents: "order_id"
        case .study, .remoteStudy, .workitem, .workitemDataSet, .performedStep, .performedStepDataSet: "uid"
        case .series: "uid || '/' || study_uid"
        case .rejectedSeries: "series_uid || '/' || study_uid"
        case .worklistFilter: "CAST(is_filtered AS TEXT) || '/' || receiver"
        case .exportPart, .importOutcome: "job_id || '/' || CAST(number AS TEXT)"
        case .importInput: "job_id || '/' || CAST(place AS TEXT)"
        }
    }

    /// The key that the table is walked in the order of.
    var key: [(name: String, kind: SQLColumnKind)] {
        switch self {
        case .resourceBody: [("version_key", .int)]
        case .messageText, .messageAnswer, .patient, .visit, .order, .report, .exportJob, .importJob, .subscription:
            [("id", .text)]
        case .outboxPayload, .audit: [("number", .int)]
        case .header, .rejectedHeader, .rejectedDecision: [("sop_uid", .text)]
        case .orderEvents: [("order_id", .text)]
        case .study, .remoteStudy, .workitem, .workitemDataSet, .performedStep, .performedStepDataSet: [("uid", .text)]
        case .series: [("study_uid", .text), ("uid", .text)]
        case .rejectedSeries: [("study_uid", .text), ("series_uid", .text)]
        case .worklistFilter: [("receiver", .text), ("is_filtered", .int)]
        case .exportPart, .importOutcome: [("job_id", .text), ("number", .int)]
        case .importInput: [("job_id", .text), ("place", .int)]
        }
    }
}

/// A value for a column of ``SealedColumn``: the connection that it is bound on seals it, or marks it as clear where it
/// could be taken for a sealed one.
package struct SealableBody: Sendable, Hashable {
    let column: SealedColumn
    let identity: String
    let bytes: [UInt8]
}

extension SQLValue {
    /// - Parameter identity: of the row, as ``SealedColumn/identity``.
    static func sealable(_ column: SealedColumn, _ identity: String, _ bytes: [UInt8]) -> SQLValue {
        .body(SealableBody(column: column, identity: identity, bytes: bytes))
    }
}

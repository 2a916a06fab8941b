/// What a client is told about a request: one or more issues. FHIR R4 operationoutcome.html.
package struct OperationOutcome: Sendable, Hashable {
    /// FHIR R4 valueset-issue-severity.html.
    package enum Severity: String, Sendable, Hashable, CaseIterable {
        case fatal, error, warning, information
    }

    /// FHIR R4 valueset-issue-type.html, the whole set.
    package enum Code: String, Sendable, Hashable, CaseIterable {
        case invalid, structure, required, value, invariant
        case security, login, unknown, expired, forbidden, suppressed
        case processing
        case notSupported = "not-supported"
        case duplicate
        case multipleMatches = "multiple-matches"
        case notFound = "not-found"
        case deleted
        case tooLong = "too-long"
        case codeInvalid = "code-invalid"
        case `extension`
        case tooCostly = "too-costly"
        case businessRule = "business-rule"
        case conflict, transient
        case lockError = "lock-error"
        case noStore = "no-store"
        case exception, timeout, incomplete, throttled, informational
    }

    /// One thing to tell.
    package struct Issue: Sendable, Hashable {
        package var severity: Severity
        package var code: Code
        /// For a person to read: `details.text`.
        package var details: String?
        /// For a developer to read. Never a value from a patient's record.
        package var diagnostics: String?
        /// FHIRPath to the elements at fault, such as `Patient.contact[0].gender`.
        package var expression: [String]

        package init(
            _ severity: Severity, _ code: Code, details: String? = nil, diagnostics: String? = nil,
            expression: [String] = []
        ) {
            self.severity = severity
            self.code = code
            self.details = details
            self.diagnostics = diagnostics
            self.expression = expression
        }
    }

    /// At least one.
    package var issues: [Issue]

    /// An outcome of `issues`; of none, one that says all is well. FHIR R4 operationoutcome-example-allok.html.
    package init(_ issues: [Issue]) {
        self.issues =
            issues.isEmpty ? [Issue(.information, .informational, details: "All OK")] : issues
    }

    /// An outcome of one issue.
    package init(
        _ severity: Severity, _ code: Code, details: String? = nil, diagnostics: String? = nil,
        expression: [String] = []
    ) {
        issues = [Issue(severity, code, details: details, diagnostics: diagnostics, expression: expression)]
    }

    /// Whether any issue says that the request failed.
    package var hasErrors: Bool { issues.contains { $0.severity == .fatal || $0.severity == .error } }

    /// The outcome as a tree.
    package var value: JSONValue {
        let rows = issues.map { issue in
            var row = JSONObject([
                ("severity", .string(issue.severity.rawValue)), ("code", .string(issue.code.rawValue)),
            ])
            if let details = issue.details { row["details"] = ["text": .string(details)] }
            if let diagnostics = issue.diagnostics { row["diagnostics"] = .string(diagnostics) }
            if !issue.expression.isEmpty { row["expression"] = .array(issue.expression.map { .string($0) }) }
            return JSONValue.object(row)
        }
        return ["resourceType": "OperationOutcome", "issue": .array(rows)]
    }

    /// The outcome as compact JSON.
    package var bytes: [UInt8] { JSONWriter.compact(value) }
}

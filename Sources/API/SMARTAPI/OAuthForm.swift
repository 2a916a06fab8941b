import HTTPSupport

/// The form of a request to the token, revocation or introspection endpoint: no parameter twice. RFC 6749 §3.2.
struct OAuthForm: Sendable {
    private let fields: QueryParameters

    /// A value; nil for none and for an empty one, which is as if it were not there. RFC 6749 §3.2.
    subscript(_ name: String) -> String? { fields[name].flatMap { $0.isEmpty ? nil : $0 } }

    init(_ fields: QueryParameters) { self.fields = fields }

    /// Throws ``OAuthRefusal``, and what the body throws.
    init(_ request: APIRequest) async throws {
        guard try request.isForm() else {
            throw OAuthRefusal(
                error: .invalidRequest, description: "The body must be application/x-www-form-urlencoded")
        }
        fields = try await request.form(limit: TokenEndpoint.formBytesMax, countMax: 32)
        guard Set(fields.map(\.name)).count == fields.count else {
            throw OAuthRefusal(error: .invalidRequest, description: "A parameter is given twice")
        }
    }
}

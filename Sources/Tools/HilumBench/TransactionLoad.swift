import Foundation

/// Bundles of type transaction on several connections, and the same resources created one by one. FHIR R4
/// http.html#transaction.
struct TransactionLoad: Sendable {
    static let connections = 16
    /// Resources of one measurement at most.
    static let resourcesMax = 1_000_000

    let port: Int
    let token: String

    /// Resources created a second, `entries` in each transaction: a Patient and what was seen of them.
    func transactions(of entries: Int, first: Int, seconds: Double) async throws -> Double {
        let ticket = LoadTicket(seconds: seconds, first: first, limit: Self.resourcesMax / entries)
        try await ThreadLoad.run(Self.connections) { _ in
            let connection = try HTTPConnection(port: port)
            while let number = ticket.next() {
                let patient = "urn:uuid:\(UUID().uuidString.lowercased())"
                var parts = [Self.entry("Patient", patient, Self.patient(number))]
                for index in 1..<entries {
                    let own = "urn:uuid:\(UUID().uuidString.lowercased())"
                    parts.append(Self.entry("Observation", own, Self.observation(index, subject: patient)))
                }
                let body =
                    "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[\(parts.joined(separator: ","))]}"
                try post(body, to: "/fhir", on: connection, status: 200)
            }
        }
        return ticket.rate() * Double(entries)
    }

    /// Resources created a second, each by a request of its own.
    func creates(first: Int, seconds: Double) async throws -> Double {
        let ticket = LoadTicket(seconds: seconds, first: first, limit: Self.resourcesMax)
        try await ThreadLoad.run(Self.connections) { _ in
            let connection = try HTTPConnection(port: port)
            while let number = ticket.next() {
                let (type, body) =
                    number % 2 == 0
                    ? ("Patient", Self.patient(number)) : ("Observation", Self.observation(number, subject: nil))
                try post(body, to: "/fhir/\(type)", on: connection, status: 201)
            }
        }
        return ticket.rate()
    }

    /// Loads Bundles once, those of organisations and practitioners first as the others refer to them by condition.
    /// - Returns: resources and seconds.
    func load(_ files: [URL]) async throws -> (resources: Int, seconds: Double) {
        let names = files.sorted { $0.lastPathComponent < $1.lastPathComponent }
        let isFirst: (URL) -> Bool = { $0.lastPathComponent.contains("Information") }
        var resources = 0
        let begin = ContinuousClock.now
        for part in [names.filter(isFirst), names.filter { !isFirst($0) }] {
            let ticket = LoadTicket(seconds: 3_600, first: 0, limit: part.count)
            let bodies = try part.map { [UInt8](try Data(contentsOf: $0)) }
            for body in bodies { resources += Self.count(of: body) }
            try await ThreadLoad.run(4) { _ in
                let connection = try HTTPConnection(port: port)
                while let number = ticket.next() {
                    try post(bodies[number], to: "/fhir", on: connection, status: 200)
                }
            }
        }
        return (resources, (ContinuousClock.now - begin).seconds)
    }

    private static func count(of bundle: [UInt8]) -> Int {
        let value = try? JSONSerialization.jsonObject(with: Data(bundle)) as? [String: Any]
        return (value?["entry"] as? [Any])?.count ?? 0
    }

    private func post(_ body: String, to path: String, on connection: HTTPConnection, status: Int) throws {
        try post(Array(body.utf8), to: path, on: connection, status: status)
    }

    private func post(_ body: [UInt8], to path: String, on connection: HTTPConnection, status: Int) throws {
        let reply = try connection.send(
            "POST", path,
            headers: [
                "Authorization: Bearer \(token)", "Content-Type: application/fhir+json", "Prefer: return=minimal",
            ], body: body)
        guard reply.status == status else {
            throw BenchFailure("\(path) answered \(reply.status): \(String(decoding: reply.body, as: UTF8.self))")
        }
    }

    private static func entry(_ type: String, _ fullURL: String, _ resource: String) -> String {
        "{\"fullUrl\":\"\(fullURL)\",\"resource\":\(resource),\"request\":{\"method\":\"POST\",\"url\":\"\(type)\"}}"
    }

    private static func patient(_ number: Int) -> String {
        """
        {"resourceType":"Patient","identifier":[{"system":"urn:hilum:bench","value":"T\(number)"}],\
        "name":[{"family":"Bench\(number % 997)","given":["Tom"]}],"gender":"male","birthDate":"1960-05-04"}
        """
    }

    private static func observation(_ number: Int, subject: String?) -> String {
        let subject = subject.map { ",\"subject\":{\"reference\":\"\($0)\"}" } ?? ""
        return """
            {"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org",\
            "code":"8867-4"}]},"effectiveDateTime":"2026-01-02T10:15:00Z","valueQuantity":{"value":\(number % 200),\
            "unit":"/min","system":"http://unitsofmeasure.org","code":"/min"}\(subject)}
            """
    }
}

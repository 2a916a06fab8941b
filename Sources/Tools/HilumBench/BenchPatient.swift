import Foundation

/// The Patient that is read: about 1.8 KB as the server answers it.
enum BenchPatient {
    /// Creates it; its path, "/fhir/Patient/…". FHIR R4 http.html#create.
    static func create(port: Int, token: String) throws -> String {
        let contacts = (1...6).map { index in
            """
            {"relationship":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0131","code":"N"}]}],\
            "name":{"family":"Bench","given":["Kin\(index)"]},\
            "telecom":[{"system":"phone","value":"555-010\(index)","use":"home"}]}
            """
        }
        let body = """
            {"resourceType":"Patient","active":true,\
            "identifier":[{"use":"official","system":"urn:hilum:bench","value":"BENCH-READ"}],\
            "name":[{"use":"official","family":"Bench","given":["Marta","Ida"]}],"gender":"female",\
            "birthDate":"1960-05-04","telecom":[{"system":"phone","value":"555-0100","use":"mobile"}],\
            "address":[{"use":"home","line":["Street 1"],"city":"Town","postalCode":"0001","country":"NO"}],\
            "maritalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus","code":"M"}]},\
            "contact":[\(contacts.joined(separator: ","))]}
            """
        let connection = try HTTPConnection(port: port)
        let reply = try connection.send(
            "POST", "/fhir/Patient",
            headers: ["Authorization: Bearer \(token)", "Content-Type: application/fhir+json"], body: Array(body.utf8))
        guard reply.status == 201, let location = reply.header("location"), let path = URL(string: location)?.path
        else {
            throw BenchFailure("create answered \(reply.status): \(String(decoding: reply.body, as: UTF8.self))")
        }
        let parts = path.split(separator: "/").prefix(3)
        let found = "/" + parts.joined(separator: "/")
        let read = try connection.send("GET", found, headers: ["Authorization: Bearer \(token)"])
        guard read.status == 200, (1500...2200).contains(read.body.count) else {
            throw BenchFailure("read of \(found) answered \(read.status) with \(read.body.count) bytes")
        }
        return found
    }
}

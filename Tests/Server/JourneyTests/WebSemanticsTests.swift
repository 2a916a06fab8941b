import DICOMData
import FHIRModel
import Foundation
import NIOHTTP1
import Testing

extension JourneyTests {
    /// What all APIs share, over sockets and on the whole server. Cases D9, D19, F8, F9, F24. RFC 9110; PS3.18 §8.3.1.
    @Suite(.server, .serialized) struct WebSemanticsTests {
        let context: ServerTrait.Context

        init() throws { context = try ServerTrait.context() }

        private static let study = "1.2.826.0.1.55"

        /// A study whose patient has a plus in the number.
        private func stored() async throws {
            let file = try Samples.file(study: Self.study, instance: Self.study + ".1") {
                $0.set(.patientID, string: "A+B")
            }
            #expect(try await context.stow([file]).status == 200)
        }

        @Test("F9: HEAD answers with the status and fields of GET wherever there is a GET, and without a body")
        func head() async throws {
            try await stored()
            #expect(try await context.fhir(.PUT, "/Patient/h1", Samples.patient("H1", id: "h1")).status == 201)
            let instance = "/dicomweb/studies/\(Self.study)/series/\(Self.study).1/instances/\(Self.study).1"
            for path in [
                "/fhir/metadata", "/fhir/Patient", "/fhir/Patient?_count=1", "/fhir/Patient/h1",
                "/fhir/Patient/h1/_history", "/fhir/Patient/h1/_history/1", "/fhir/Patient/nobody",
                "/fhir/_export/none",
                "/dicomweb/studies", "/dicomweb/studies/\(Self.study)", "/dicomweb/studies/\(Self.study)/metadata",
                instance, instance + "/metadata", instance + "/frames/1", "/health/live", "/metrics", "/oauth/jwks",
                "/fhir/.well-known/smart-configuration", "/ops/quarantine",
            ] {
                let get = try await context.web.send(.GET, path, token: context.token)
                let head = try await context.web.send(.HEAD, path, token: context.token)
                #expect(head.status == get.status, "\(path)")
                #expect(head.body.isEmpty, "\(path)")
                for name in ["Content-Type", "ETag", "Last-Modified"] {
                    let (a, b) = (head.headers.first(name: name), get.headers.first(name: name))
                    // A boundary is new for each answer.
                    #expect(a?.prefix(20) == b?.prefix(20), "\(path) \(name)")
                }
            }
            // The connection is in step after all of them.
            #expect(try await context.allDoorsServe())
            #expect(try await context.web.send(.HEAD, "/fhir/$export", token: context.token).status == 405)
        }

        @Test("F8, RFC 9110 §5.3: two lines of one field are one list, from memory and by the usual way alike")
        func fieldLines() async throws {
            #expect(try await context.fhir(.PUT, "/Patient/f8", Samples.patient("F8", id: "f8")).status == 201)
            let accepts = [("Accept", "text/html"), ("Accept", "application/fhir+json")]
            for path in ["/Patient/f8", "/Patient/f8?_pretty=false", "/Patient/f8", "/Patient/f8/_history/1"] {
                #expect(try await context.fhir(.GET, path, headers: accepts).status == 200, "\(path)")
            }
            let prefer = [("Prefer", "handling=strict"), ("Prefer", "return=minimal")]
            let put = try await context.fhir(.PUT, "/Patient/f8", Samples.patient("F8b", id: "f8"), headers: prefer)
            #expect(put.status == 200)
            #expect(put.body.isEmpty)
            #expect(try await context.fhir(.GET, "/Patient?nonsense=1", headers: prefer).status == 400)
            let tags = [("If-None-Match", "W/\"7\""), ("If-None-Match", "W/\"2\"")]
            for path in ["/Patient/f8", "/Patient/f8?_pretty=false"] {
                #expect(try await context.fhir(.GET, path, headers: tags).status == 304, "\(path)")
            }
        }

        @Test("D9, PS3.18 §8.3.1: + is itself in a DICOMweb URL, in a value and in the accept parameter")
        func plus() async throws {
            try await stored()
            for query in ["PatientID=A+B", "PatientID=A%2BB", "PatientID=A+B&accept=application/dicom+json"] {
                let reply = try await context.web.send(
                    .GET, "/dicomweb/studies?\(query)", token: context.token,
                    headers: query.contains("accept") ? [("Accept", "text/html")] : [])
                #expect(reply.status == 200, "\(query)")
                #expect(try reply.json().array?.count == 1, "\(query)")
            }
        }

        @Test("F24: /metadata has a tag that holds, and 304 for it")
        func metadata() async throws {
            let first = try await context.web.send(.GET, "/fhir/metadata")
            let tag = try #require(first.headers.first(name: "ETag"))
            let again = try await context.web.send(.GET, "/fhir/metadata", headers: [("If-None-Match", tag)])
            #expect(again.status == 304)
            #expect(again.body.isEmpty)
        }

        @Test("D19: without configured origins a preflight is 405 and no answer names an origin")
        func noOrigins() async throws {
            let headers = [("Origin", "https://viewer.example"), ("Access-Control-Request-Method", "GET")]
            #expect(try await context.web.send(.OPTIONS, "/fhir/Patient", headers: headers).status == 405)
            let get = try await context.fhir(.GET, "/Patient", headers: [("Origin", "https://viewer.example")])
            #expect(get.status == 200)
            #expect(!get.headers.contains(name: "Access-Control-Allow-Origin"))
        }
    }
}

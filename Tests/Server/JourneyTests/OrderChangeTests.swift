import DICOMData
import FHIRModel
import NIOHTTP1
import Testing

extension JourneyTests {
    /// What a client may change of orders and patients that others rely on, over HTTP and on the database of the run.
    /// Cases S5, S12, H18; FHIR R4 http.html#update, #delete; PS3.4 §K.6.
    @Suite(.server, .serialized) struct OrderChangeTests {
        let context: ServerTrait.Context

        init() throws { context = try ServerTrait.context() }

        private func order(
            _ id: String, of patient: String, accession: String? = nil, status: String = "active", more: String = ""
        ) -> String {
            let type = "{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v2-0203\",\"code\":\"ACSN\"}]}"
            let identifier = accession.map {
                "\"identifier\":[{\"type\":\(type),\"system\":\"urn:hilum:site:accession\",\"value\":\"\($0)\"}],"
            }
            return "{\"resourceType\":\"ServiceRequest\",\"id\":\"\(id)\",\(identifier ?? "")\"status\":\"\(status)\","
                + "\"intent\":\"order\",\"category\":[{\"coding\":[{\"system\":\"http://snomed.info/sct\","
                + "\"code\":\"363679005\"}]}],\"code\":{\"text\":\"CT\"}\(more),"
                + "\"subject\":{\"reference\":\"Patient/\(patient)\"}}"
        }

        private func put(_ type: String, _ id: String, _ json: String) async throws -> WebClient.Reply {
            try await context.fhir(.PUT, "/\(type)/\(id)", json)
        }

        /// A patient of the registration's own authority, by HL7; its logical id.
        private func register(_ number: String) async throws -> String {
            let answer = try await MLLPPeer.send(Samples.message("OC-" + number, patient: number), to: context.server)
            #expect(answer?.code == "AA")
            let found = try await context.fhir(.GET, "/Patient?identifier=\(number)")
            return try #require(try found.json()["entry"]?[0]?["resource"]?["id"]?.string)
        }

        private func text(_ path: String) async throws -> JSONValue {
            let reply = try await context.fhir(.GET, path)
            #expect(reply.status == 200, "\(path): \(reply.text)")
            return try reply.json()
        }

        private func tasks(of order: String) async throws -> [String] {
            try await text("/Task?focus=ServiceRequest/\(order)")["entry"]?.array?.compactMap {
                $0["resource"]?["status"]?.string
            } ?? []
        }

        @Test(
            "S5: an order moves to another patient only while no image or report belongs to it; then nothing has changed"
        )
        func subject() async throws {
            let (one, two) = (try await register("OC1"), try await register("OC2"))
            #expect(try await put("ServiceRequest", "oc-1", order("oc-1", of: one, accession: "OC-A1")).status == 201)
            #expect(try await put("ServiceRequest", "oc-1", order("oc-1", of: two, accession: "OC-A1")).status == 200)
            #expect(try await put("ServiceRequest", "oc-1", order("oc-1", of: one, accession: "OC-A1")).status == 200)
            let study = "1.2.826.0.1.81"
            let file = try Samples.file(study: study, instance: study + ".1.1") {
                $0.set(.patientID, string: "OC1")
                $0.set(.issuerOfPatientID, string: "HOSP")
                $0.set(.accessionNumber, string: "OC-A1")
            }
            #expect(try await context.stow([file]).status == 200)
            let before = try await text("/ServiceRequest/oc-1")
            let refused = try await put("ServiceRequest", "oc-1", order("oc-1", of: two, accession: "OC-A1"))
            #expect(refused.status == 409, "\(refused.text)")
            #expect(refused.text.contains("can not be changed"))
            #expect(try await text("/ServiceRequest/oc-1") == before)
            #expect(try await context.fhir(.DELETE, "/ServiceRequest/oc-1").status == 409)
            #expect(try await context.fhir(.DELETE, "/Patient/\(one)").status == 409)
            // The accession number is that patient's: another one's order can not have it.
            let taken = try await put("ServiceRequest", "oc-2", order("oc-2", of: two, accession: "OC-A1"))
            #expect(taken.status == 409, "\(taken.text)")
            #expect(try await context.fhir(.GET, "/ServiceRequest/oc-2").status == 404)
        }

        @Test("S12: tasks follow their order when it is revoked, held and deleted; no client can take one away")
        func tasksFollow() async throws {
            let patient = try await register("OC3")
            func put(_ status: String) async throws -> Int {
                try await self.put(
                    "ServiceRequest", "oc-3", order("oc-3", of: patient, accession: "OC-A3", status: status)
                ).status
            }
            #expect(try await put("active") == 201)
            #expect(try await tasks(of: "oc-3") == ["ready"])
            #expect(try await put("on-hold") == 200)
            #expect(try await tasks(of: "oc-3") == ["on-hold"])
            #expect(try await put("active") == 200)
            #expect(try await tasks(of: "oc-3") == ["ready"])
            #expect(try await put("revoked") == 200)
            #expect(try await tasks(of: "oc-3") == ["cancelled"])
            let task = try #require(
                try await text("/Task?focus=ServiceRequest/oc-3")["entry"]?[0]?["resource"]?["id"]?.string)
            #expect(try await context.fhir(.DELETE, "/Task/\(task)").status == 409)
            #expect(try await context.fhir(.DELETE, "/ServiceRequest/oc-3").status == 204)
            #expect(try await context.fhir(.GET, "/ServiceRequest/oc-3").status == 410)
            #expect(try await context.fhir(.GET, "/Task/\(task)").status == 410)
        }

        @Test("S12: a merged Patient is not made active again, and what is done stays done under a late cancel")
        func standing() async throws {
            let (one, two) = (try await register("OC4"), try await register("OC5"))
            let msh =
                "MSH|^~\\&|\(ServerFolder.sender.application)|\(ServerFolder.sender.facility)|HILUM|HILUM|20261121090000||"
            func send(_ type: String, _ id: String, _ lines: String...) async throws -> String? {
                let message = (["\(msh)\(type)|\(id)|P|2.5.1"] + lines).joined(separator: "\r") + "\r"
                return try await MLLPPeer.send(Array(message.utf8), to: context.server)?.code
            }
            #expect(
                try await send(
                    "ADT^A40^ADT_A39", "OC-M", "EVN|A40|20261121090000", "PID|1||OC4^^^HOSP^MR||A^B",
                    "MRG|OC5^^^HOSP^MR")
                    == "AA")
            #expect(try await text("/Patient/\(two)")["active"]?.bool == false)
            let retired = try await context.fhir(.GET, "/Patient/\(two)").text
            let again = try await put("Patient", two, retired.replacing("\"active\":false", with: "\"active\":true"))
            #expect(again.status == 409, "\(again.text)")
            #expect(again.text.contains("Patient/\(one)"), "\(again.text)")
            #expect(try await self.text("/Patient/\(two)")["active"]?.bool == false)
            #expect(try await context.fhir(.DELETE, "/Patient/\(one)").status == 409, "a merged record leads to it")

            let pid = "PID|1||OC4^^^HOSP^MR||A^B"
            for (id, control, status) in [("OC-N", "NW", "SC"), ("OC-C", "SC", "CM"), ("OC-X", "CA", "CA")] {
                let orc = "ORC|\(control)|OC-P4|OC-F4||\(status)||||20261121090000"
                #expect(try await send("ORM^O01", id, pid, orc, "OBR|1|OC-P4|OC-F4|CT^CT^L") == "AA")
            }
            let found = try await self.text("/ServiceRequest?identifier=OC-P4")["entry"]?[0]?["resource"]
            #expect(found?["status"]?.string == "completed")
            #expect(try await tasks(of: found?["id"]?.string ?? "") == ["completed"])
        }

        @Test("H18: a start with another offset is kept for FHIR and is the site's clock on its Task")
        func zone() async throws {
            let patient = try await register("OC6")
            func start(_ text: String) async throws -> [String] {
                let json = order(
                    "oc-6", of: patient, accession: "OC-A6", more: ",\"occurrenceDateTime\":\"\(text)\"")
                #expect([200, 201].contains(try await put("ServiceRequest", "oc-6", json).status))
                #expect(try await self.text("/ServiceRequest/oc-6")["occurrenceDateTime"]?.string == text)
                return try await self.text("/Task?focus=ServiceRequest/oc-6")["entry"]?.array?.compactMap {
                    $0["resource"]?["restriction"]?["period"]?["start"]?.string
                } ?? []
            }
            // Oslo: one hour east of UTC in winter, two in summer.
            #expect(try await start("2026-12-01T08:00:00Z") == ["2026-12-01T09:00:00+01:00"])
            #expect(try await start("2026-07-01T20:00:00-05:00") == ["2026-07-02T03:00:00+02:00"])
        }
    }
}

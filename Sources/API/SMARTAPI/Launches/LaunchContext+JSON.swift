import Access
import HTTPSupport

extension LaunchContext {
    /// As members of a token response. SMART 2.2 §Launch context arrives with your access_token.
    func write(to json: inout JSONText) {
        if let patient { json.member("patient", patient) }
        if let encounter { json.member("encounter", encounter) }
        if !fhirContext.isEmpty {
            json.array("fhirContext") { json in
                for item in fhirContext {
                    json.object { json in
                        if let reference = item.reference { json.member("reference", reference) }
                        if let canonical = item.canonical { json.member("canonical", canonical) }
                        if let identifier = item.identifier {
                            json.object("identifier") { json in
                                json.member("system", identifier.system)
                                json.member("value", identifier.value)
                            }
                        }
                        if let type = item.type { json.member("type", type) }
                        if let role = item.role { json.member("role", role) }
                    }
                }
            }
        }
        if let needPatientBanner { json.member("need_patient_banner", needPatientBanner) }
        if let intent { json.member("intent", intent) }
        if let smartStyleURL { json.member("smart_style_url", smartStyleURL) }
    }
}

import HTTPSupport
import HTTPTypes
import Hummingbird

/// The way from where programs read JSON to the page that shows people the same.
enum PageBeside {
    /// 303 for whoever holds no token and likes HTML best, with the query as it came: both read the same names.
    /// RFC 9110 §12.1, §15.4.4.
    /// - Parameters:
    ///   - path: of the page below `/operations`; empty for the first one.
    ///   - name: of the path's parameter that follows it; nil for none.
    static func page(_ path: String, _ name: String? = nil) -> RoutePage {
        RoutePage { request in
            var target = OperationsRoutes.path + path
            if let name { target += "/" + PercentCoding.encoded(request.parameters[name]) }
            if !request.rawQuery.isEmpty { target += "?" + request.rawQuery }
            var response = Response.seeOther(target)
            response.headers[.vary] = "Accept, Authorization"
            return response
        }
    }
}

@main struct GenerateFHIRDefinitions { static func main() {} }

@main struct HilumBench { static func main() {} }

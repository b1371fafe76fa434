const PACKAGES = ["openai==3.57.0", "anthropic==2.14.0", "langchain-openai==1.7.4", "langchain-anthropic==1.7.10"]

/** The SDKs for Python that are tested. A Python without them is a reason to skip, but not for CI: see python.test.ts. */
export const PYTHON_SDKS = {
  name: `sdks-${PACKAGES.map((each) => each.split("==")[1]).join("-")}`,
  requirement: PACKAGES.join(" ")
}

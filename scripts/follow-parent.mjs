// Loaded into the programs that run.mjs starts (`node --import`): when run.mjs is killed and cannot tell them, they stop all the same.
const parent = process.ppid

if (process.platform !== "win32") {
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    process.kill(process.pid, "SIGTERM")
  }, 500)
  timer.unref()
}
